MODEL (name lab.measurements, kind FULL, grain sample);
SELECT
  sample,
  value,
  value * value AS value_squared,
  unit
FROM raw.lab
WHERE value IS NOT NULL
