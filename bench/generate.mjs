// Writes a project of N models in the shape of a usual warehouse: a quarter staging (a renamed and deduplicated table each),
// the rest intermediate (two joins, aggregates, windows) in four layers, and a fifth marts. About 65 lines a model.
import * as fs from 'node:fs';
import * as path from 'node:path';

const rawTables = 10;
const rawColumns = [
  ['id', 'BIGINT'],
  ['customer_id', 'BIGINT'],
  ['product_id', 'INTEGER'],
  ['store_id', 'INTEGER'],
  ['sold_at', 'TIMESTAMP'],
  ['amount', 'DOUBLE'],
  ['quantity', 'INTEGER'],
  ['status', 'VARCHAR'],
  ['country', 'VARCHAR'],
];
const shared = [
  'entity_id',
  'customer_id',
  'product_id',
  'store_id',
  'sold_at',
  'sold_on',
  'amount',
  'quantity',
  'status',
  'country',
  'segment',
  'score',
];

const listed = (names, prefix = '') => names.map((name) => `    ${prefix}${name}`).join(',\n');

function staging(index) {
  return `WITH source AS (
  SELECT
    id AS entity_id,
    customer_id,
    product_id,
    store_id,
    sold_at,
    sold_at::DATE AS sold_on,
    amount,
    quantity,
    lower(trim(status)) AS status,
    upper(country) AS country
  FROM raw.sales_${index % rawTables}
  WHERE id IS NOT NULL
), numbered AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY entity_id ORDER BY sold_at DESC) AS version
  FROM source
), judged AS (
  SELECT
    *,
    CASE
      WHEN amount >= ${300 + (index % 7) * 50}
      THEN 'high'
      WHEN amount >= ${100 + (index % 5) * 20}
      THEN 'middle'
      ELSE 'low'
    END AS segment,
    amount * quantity / nullif(${2 + (index % 6)}, 0) AS score
  FROM numbered
  WHERE version = 1
)
SELECT
${listed(shared)}
FROM judged
WHERE amount > ${index % 3}`;
}

function intermediate(index, [facts, peers, products]) {
  return `WITH facts AS (
  SELECT
${listed(shared, 'f.')}
  FROM ${facts} AS f
  WHERE f.amount > ${index % 20}
), peers AS (
  SELECT
    customer_id,
    count(*) AS peer_count,
    max(sold_at) AS last_sold_at
  FROM ${peers}
  GROUP BY customer_id
), products AS (
  SELECT
    product_id,
    avg(score) AS mean_score
  FROM ${products}
  WHERE status <> 'returned'
  GROUP BY product_id
), joined AS (
  SELECT
    facts.*,
    coalesce(peers.peer_count, 0) AS peer_count,
    coalesce(products.mean_score, facts.score) AS usual_score,
    date_diff('day', facts.sold_at, peers.last_sold_at) AS days_to_last
  FROM facts
  LEFT JOIN peers
    ON facts.customer_id = peers.customer_id
  LEFT JOIN products
    ON facts.product_id = products.product_id
), ranked AS (
  SELECT
    *,
    row_number() OVER (PARTITION BY ${['customer_id', 'product_id', 'store_id'][index % 3]} ORDER BY sold_at, entity_id) AS place,
    sum(amount) OVER (PARTITION BY customer_id ORDER BY sold_at, entity_id) AS running_amount
  FROM joined
)
SELECT
${listed(shared.slice(0, -1))},
    (score + ${1 + (index % 4)} * usual_score) / 2 AS score,
    peer_count,
    running_amount
FROM ranked
WHERE place <= 100`;
}

function mart(index, [facts, trend, stores]) {
  const group = ['country', 'segment', 'status'][index % 3];
  return `WITH facts AS (
  SELECT
    ${group} AS grouped_by,
    date_trunc('month', sold_on) AS month,
    customer_id,
    amount,
    quantity,
    score
  FROM ${facts}
), trend AS (
  SELECT
    ${group} AS grouped_by,
    date_trunc('month', sold_on) AS month,
    sum(running_amount) AS running_amount,
    max(peer_count) AS most_peers
  FROM ${trend}
  GROUP BY
    1,
    2
), stores AS (
  SELECT
    ${group} AS grouped_by,
    count(DISTINCT store_id) AS store_count
  FROM ${stores}
  GROUP BY ${group}
)
SELECT
  facts.grouped_by,
  facts.month,
  count(DISTINCT facts.customer_id) AS customer_count,
  sum(facts.amount) AS revenue,
  sum(facts.quantity) AS unit_count,
  avg(facts.score) AS mean_score,
  sum(CASE WHEN facts.amount > 500 THEN facts.amount ELSE 0 END) AS large_revenue,
  sum(facts.amount) / nullif(sum(sum(facts.amount)) OVER (PARTITION BY facts.month), 0) AS share,
  max(trend.running_amount) AS running_amount,
  max(trend.most_peers) AS most_peers,
  max(stores.store_count) AS store_count
FROM facts
LEFT JOIN trend
  ON facts.grouped_by = trend.grouped_by AND facts.month = trend.month
LEFT JOIN stores
  ON facts.grouped_by = stores.grouped_by
GROUP BY
  facts.grouped_by,
  facts.month
HAVING count(*) > ${index % 4}`;
}

/** All models, each after those that it reads: their names and queries. */
function models(count) {
  const stagingCount = Math.max(2, Math.round(count * 0.25));
  const martCount = Math.round(count * 0.2);
  const middleCount = count - stagingCount - martCount;
  const layers = [[], [], [], [], []];
  const made = [];
  const add = (name, layer, sql) => {
    made.push({ name, sql });
    layers[layer]?.push(name);
  };
  const near = (layer, index) => layer[(index * 7 + 3) % layer.length];
  for (let i = 0; i < stagingCount; i += 1) add(`staging.st_${i}`, 0, staging(i));
  for (let i = 0; i < middleCount; i += 1) {
    const layer = 1 + Math.floor((i * 4) / middleCount);
    const below = layers[layer - 1].length > 0 ? layers[layer - 1] : layers[0];
    add(`intermediate.im_${i}`, layer, intermediate(i, [near(below, i), near(below, i + 1), near(layers[0], i)]));
  }
  const tops = [...layers[2], ...layers[4], ...layers[1]];
  for (let i = 0; i < martCount; i += 1)
    add(`marts.mart_${i}`, 5, mart(i, [near(tops, i), near(tops, i + 1), near(layers[0], i)]));
  return made;
}

/** Writes the project, and the same queries with the schema of the raw tables as `queries.json` for other tools. */
export function generate(folder, count) {
  const write = (file, text) => {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), text);
  };
  write('scilake.yaml', "name: bench\nmodel_defaults:\n  dialect: duckdb\n  start: '2024-01-01'\n");
  const raw = Array.from({ length: rawTables }, (_, i) => `sales_${i}`);
  const columns = rawColumns.map(([name, type]) => `${name} ${type}`).join(', ');
  for (const table of raw)
    write(`models/raw/${table}.sql`, `MODEL (\n  name raw.${table},\n  kind EXTERNAL,\n  columns (${columns})\n);\n`);
  const made = models(count);
  for (const { name, sql } of made)
    write(
      `models/${name.replace('.', '/')}.sql`,
      `MODEL (\n  name ${name},\n  kind FULL,\n  owner bench,\n  cron '@daily'\n);\n\n${sql}\n`,
    );
  const schema = Object.fromEntries(raw.map((table) => [table, Object.fromEntries(rawColumns)]));
  write('queries.json', JSON.stringify({ raw: schema, models: made }));
}
