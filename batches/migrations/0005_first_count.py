"""What was recorded before there were outcomes of days is counted once; by statements of its own, whatever ours become."""

from django.db import migrations
from django.utils import timezone

NOBODY = "00000000-0000-0000-0000-000000000000"

CAUSES = """
    UPDATE batches_batchcause AS share SET ended_at = batch.ended_at FROM batches_batch AS batch
    WHERE batch.id = share.batch_id AND batch.ended_at IS NOT NULL
"""
CAUSE_DAYS = """
    INSERT INTO batches_causeday (cause_id, day, batches, rows)
    SELECT cause_id, (ended_at AT TIME ZONE %(zone)s)::date, count(*), sum(rows) FROM batches_batchcause
    WHERE ended_at IS NOT NULL GROUP BY 1, 2
"""
OUTCOMES = """
    WITH given AS (
        SELECT coalesce(organization_id, %(nobody)s) AS organization_id, type, outcome, created_at, ended_at, finished_at,
            succeeded_objects AS succeeded, failed_objects AS failed
        FROM batches_batch
    ),
    line AS MATERIALIZED (
        SELECT *, (ended_at AT TIME ZONE %(zone)s)::date AS day, created_at AT TIME ZONE %(zone)s AS arrived_at,
            ceil(extract(epoch FROM finished_at - created_at))::bigint AS took
        FROM given
    ),
    outcomes AS (
        INSERT INTO batches_outcomeday (day, organization_id, type, outcome, batches, succeeded, failed)
        SELECT day, organization_id, type, outcome, count(*), sum(succeeded), sum(failed)
        FROM line WHERE day IS NOT NULL GROUP BY 1, 2, 3, 4
    ),
    pace AS MATERIALIZED (
        SELECT organization_id, day, (took + round_to - 1) / round_to * round_to AS seconds
        FROM line, LATERAL (SELECT (10 ^ greatest(length(took::text) - 2, 0))::bigint AS round_to) AS rounding
        WHERE day IS NOT NULL AND created_at <= finished_at
    ),
    days AS (
        INSERT INTO batches_daypace (day, seconds, batches)
        SELECT day, seconds, count(*) FROM pace GROUP BY 1, 2
    ),
    months AS (
        INSERT INTO batches_organizationpace (organization_id, month, seconds, batches)
        SELECT organization_id, date_trunc('month', day)::date, seconds, count(*) FROM pace GROUP BY 1, 2, 3
    )
    INSERT INTO batches_arrival (day, organization_id, quarter, batches)
    SELECT arrived_at::date, organization_id,
        (extract(hour FROM arrived_at) * 4 + floor(extract(minute FROM arrived_at) / 15))::smallint, count(*)
    FROM line WHERE arrived_at IS NOT NULL GROUP BY 1, 2, 3
"""


def count(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(CAUSES)
        cursor.execute("DELETE FROM batches_causeday")
        for statement in (CAUSE_DAYS, OUTCOMES):
            cursor.execute(statement, {"zone": timezone.get_current_timezone_name(), "nobody": NOBODY})


class Migration(migrations.Migration):

    dependencies = [("batches", "0004_outcomes")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
