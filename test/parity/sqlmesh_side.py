"""Does one step of the comparison with SQLMesh and prints all tables: sqlmesh_side.py PROJECT STEP.json TABLES.json"""

import json
import logging
import sys

logging.disable(logging.CRITICAL)
from sqlmesh import Context
from sqlmesh.core.console import NoopConsole, set_console

set_console(NoopConsole())
project, step, tables = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
context = Context(paths=[project])
at = step["at"]
if step["do"] == "run":
    context.run(execution_time=at, skip_janitor=True)
else:
    restate = [step["model"]] if step["do"] == "restate" else None
    context.plan(execution_time=at, restate_models=restate, auto_apply=True, no_prompts=True, skip_tests=True, include_unmodified=True)
found = {}
for table in tables:
    frame = context.engine_adapter.cursor.execute(f"SELECT COLUMNS(*)::VARCHAR FROM {table}")
    names = [column[0] for column in frame.description]
    found[table] = sorted([dict(zip(names, row)) for row in frame.fetchall()], key=lambda row: json.dumps(row, sort_keys=True))
print(json.dumps(found))
