MODEL (name lab.measurements, kind FULL, grain sample);
SELECT
  sample,
  value,
  unit
FROM raw.lab
WHERE value IS NOT NULL
