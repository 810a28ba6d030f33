MODEL (name lab.units, kind VIEW);
SELECT unit, count(*) AS samples
FROM lab.measurements
GROUP BY unit
