from benchmarks.world import recorded_batch
from django.db import connection
from django.test.utils import CaptureQueriesContext
from benchmarks.world import signed_in
from batches.models import *
from benchmarks.measure import *
def main():
    recorded_batch(200); b=recorded_batch(100_000); c=signed_in()
    for n in (0,1):
        for q in ("","?index=25000","?index=100-90000","?row=0", "?row=50000","?row=99990","?before=60000","?before=0","?after=49998","?after=30000", "?text=zzz"):
            c.get(f"/batches/{b.pk}/errors/{q}")
            with CaptureQueriesContext(connection) as cap:
                c.get(f"/batches/{b.pk}/errors/{q}")
            print(q, medians(9, lambda: seconds(lambda: c.get(f"/batches/{b.pk}/errors/{q}"))))
            for x in cap.captured_queries:
                if "errorrow" in x["sql"]: print("    ", x["time"], x["sql"][-200:])
        with connection.cursor() as cu: cu.execute("analyze batches_errorrow")
    return True
