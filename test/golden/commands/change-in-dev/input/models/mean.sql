MODEL (name lab.mean, kind FULL);
SELECT avg(value) AS mean_value
FROM lab.measurements
