SOURCE (name raw, uri 'lab.csv', license 'CC0-1.0');
