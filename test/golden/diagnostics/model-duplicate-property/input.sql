MODEL (
  name s.m,
  tags (a),
  tags (b)
);
SELECT 1 AS a
