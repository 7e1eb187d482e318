"""What was in an area of many cells is read by time. A BRIN index costs next to nothing, for positions come in that order.

SQLite has no such index, and no table that is so large.
"""

from django.db import migrations

MAKE = """CREATE INDEX positions_by_time ON tracking_position USING brin (recorded_at)
          WITH (pages_per_range = 32, autosummarize = on)"""


def on_postgres(sql):
    def run(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(sql)

    return run


class Migration(migrations.Migration):
    dependencies = [("tracking", "0001_initial")]

    operations = [migrations.RunPython(on_postgres(MAKE), on_postgres("DROP INDEX positions_by_time"))]
