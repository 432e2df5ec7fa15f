from benchmarks.world import recorded_batch
from django.db import connection
from batches.models import *
def main():
    recorded_batch(200); b=recorded_batch(100_000)
    def show(t):
        print("=====",t)
        print(b.succeeded.filter(position__gt=24949).order_by("position")[:101].explain(analyze=True))
        print(b.succeeded.filter(position__lt=50000).order_by("-position")[:101].explain(analyze=True))
        print(b.errors.filter(rank__lt=50000).order_by("-rank")[:101].explain(analyze=True))
        print(b.succeeded.filter().order_by("position")[:101].explain(analyze=True))
    show("no stats")
    with connection.cursor() as c: c.execute("analyze batches_succeededitem")
    with connection.cursor() as c: c.execute("analyze batches_errorrow")
    show("analyzed")
    return True
