MODEL (name s.m, description '😀 żółć', ownr me);
SELECT 1 AS a
