"""Benchmarks of whole processes: bench.py MOATMETRICS WORKDIR LOGS BIG (called by scripts/bench.sh)."""
import http.client
import json, os, random, shutil, statistics, subprocess, sys, threading, time, urllib.parse

binary, work, logs, big = os.path.abspath(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])

BARE = r'''
import duckdb, sys
src, out = sys.argv[1], sys.argv[2]
con = duckdb.connect()
con.execute("SET threads=2; SET enable_progress_bar=false")
con.execute(f"""CREATE TABLE typed AS SELECT client_name, staff_name, staff_email, work_date, "hours", rate, project_name, task_description, billable, key,
  row_number() OVER (PARTITION BY key) AS ordinal FROM (SELECT client_name, staff_name, staff_email, TRY_CAST(date AS DATE) AS work_date, TRY_CAST(hours AS DECIMAL(9,4)) AS "hours",
  TRY_CAST(rate AS DECIMAL(18,6)) AS rate, project_name, task_description, TRY_CAST(billable AS BOOLEAN) AS billable,
  md5(concat_ws('|', client_name, staff_name, staff_email, date, "hours", rate, project_name, task_description, billable))::UUID AS key
  FROM read_csv('{src}', all_varchar=true, header=true))""")
con.execute(f"COPY (SELECT *, strftime(work_date, '%Y-%m') AS month FROM typed) TO '{out}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (month))")
'''
COPY = r'''
import duckdb, sys
con = duckdb.connect()
con.execute("SET threads=2; SET enable_progress_bar=false")
con.execute(f"COPY (SELECT * FROM read_csv('{sys.argv[1]}')) TO '{sys.argv[2]}/t.parquet' (FORMAT parquet, COMPRESSION zstd)")
'''


def run(args):
    """Runs a process to its end: wall seconds and peak memory in MB."""
    start = time.time()
    p = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    err = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    if status != 0:
        sys.exit(f"{args}: {status}\n{err.decode()}")
    return time.time() - start, usage.ru_maxrss / 1024


def fresh(name):
    path = os.path.join(work, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


REPEATS = 5


def imports():
    src = os.path.join(work, "files", "time_logs.csv")
    rows = {"bare script": [], "MoatMetrics": [], "plain COPY": []}
    for _ in range(REPEATS):  # in turn: the machine's speed drifts
        rows["bare script"].append(run([sys.executable, "-c", BARE, src, fresh("bare") + "/out"]))
        rows["MoatMetrics"].append(run([binary, "import", src, "--data", fresh("data")]))
        rows["plain COPY"].append(run([sys.executable, "-c", COPY, src, fresh("copy")]))
    print(f"import of {logs:,} time entries (median of {REPEATS}, wall s / peak MB)")
    for name, r in rows.items():
        print(f"  {name:12} {statistics.median(x[0] for x in r):6.2f} s {max(x[1] for x in r):7.0f} MB")
    pair = lambda other: statistics.median(m[0] / o[0] for m, o in zip(rows["MoatMetrics"], rows[other]))
    print(f"  ratio to the bare script {pair('bare script'):.2f}, to plain COPY {pair('plain COPY'):.2f}")
    size = sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(os.path.join(work, "data", "warehouse")) for f in fs)
    print(f"  bytes written per imported row: {size / logs:.1f}")


def serving():
    src = os.path.join(work, "big" if big != logs else "files")
    data = fresh("served")
    wall, peak = run([binary, "import", *(os.path.join(src, f + ".csv") for f in ("clients", "invoices", "time_logs", "licenses")), "--data", data])
    print(f"import of the four files with {big:,} time entries: {wall:.1f} s, peak {peak:.0f} MB")
    startup = []
    for _ in range(5):
        start = time.time()
        server = subprocess.Popen([binary, "serve", "--target", "api", "--listen", "127.0.0.1:18080", "--data", data], stderr=subprocess.DEVNULL)
        while True:
            try:
                c = http.client.HTTPConnection("127.0.0.1", 18080, timeout=5)
                c.request("GET", "/readyz")
                if c.getresponse().status == 200:
                    break
            except OSError:
                time.sleep(0.002)
        startup.append(time.time() - start)
        if len(startup) < 5:
            server.terminate()
            server.wait()
    print(f"start-up to ready with {big:,} rows: {1000 * statistics.median(startup):.0f} ms")
    conn = http.client.HTTPConnection("127.0.0.1", 18080, timeout=60)

    def ask(params, c=conn):
        start = time.time()
        c.request("GET", "/api/v1/query?" + urllib.parse.urlencode(params))
        r = c.getresponse()
        body = r.read()
        if r.status != 200:
            sys.exit(f"{params}: {r.status} {body[:300]}")
        return 1000 * (time.time() - start)

    margin = {"by": "client,month"}
    first = ask({**margin, "measures": "gross_margin", "from": "2022-02", "to": "2024-12"})
    print(f"the very first question after the start: {first:.0f} ms")
    time.sleep(3)  # until the server has filled its caches, as it does when it starts
    for measures in ("gross_margin", "revenue,labor_cost,gross_margin"):
        q = {**margin, "measures": measures}
        cold = [ask({**q, "limit": str(99_999 - i)}) for i in range(30)]  # another question, the same 36 months
        warm = [ask(q) for _ in range(50)]
        print(f"client x month {measures}, 36 months: cold median {statistics.median(cold):.1f} ms ({min(cold):.1f} to {max(cold):.1f}), cached median {statistics.median(warm[1:]):.2f} ms")
    dashboards(ask)
    load(ask)
    server.terminate()
    server.wait()
    pages(data)


def dashboards(ask):
    """Each query that a tile of a dashboard makes, ten times as another question: none may take 50 ms in the middle."""
    year = {"from": "2024-01", "to": "2025-01"}
    tiles = {
        "figures with the year before": {"measures": "revenue,gross_profit,gross_margin,effective_hourly_rate", "compare": "previous", **year},
        "profit by month": {"measures": "revenue,gross_profit,gross_margin", "by": "month"},
        "clients by margin": {"measures": "revenue,gross_profit,gross_margin", "by": "client", "order": "gross_margin", **year},
        "clients with the year before": {"measures": "revenue,gross_margin", "by": "client", "compare": "previous", **year},
        "client x month of a year": {"measures": "gross_margin", "by": "client,month", **year},
        "one client by month": {"measures": "revenue,labor_cost,gross_margin", "by": "month", "where": 'client = "Client 007 Corp"'},
        "industries by year": {"measures": "revenue,gross_profit,gross_margin", "by": "industry,year"},
        "people": {"measures": "utilization,billable_utilization,hours_worked,capacity_hours", "by": "staff", **year},
        "people by month": {"measures": "utilization", "by": "staff,month", **year},
        "hours by week": {"measures": "hours_worked,billable_hours", "by": "week", **year},
        "licenses by product": {"measures": "license_waste,license_utilization,seats_purchased", "by": "product", **year},
        "ten clients and the others": {"measures": "revenue,gross_profit", "by": "client", "top": "10", **year},
        "clients under 20 %": {"measures": "revenue,gross_margin", "by": "client", "where": "gross_margin < 20%", **year},
    }
    print("dashboard queries, cold, median of 10 ms (target 50 ms each)")
    slowest = 0
    for name, q in tiles.items():
        try:
            times = [ask({**q, "limit": str(99_999 - i)}) for i in range(10)]
        except SystemExit as e:
            print(f"  {name}: {e}")
            raise
        slowest = max(slowest, statistics.median(times))
        print(f"  {name:32} {statistics.median(times):6.1f} ({min(times):.1f} to {max(times):.1f})")
    print(f"  slowest {slowest:.1f} ms")


def pages(data):
    """What a person waits for in a real browser, and the API behind every view."""
    out = subprocess.run(["node", "web/e2e/speed.mjs"], env={**os.environ, "MOAT_BENCH_DATA": data}, stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in out.splitlines():
        if not line.startswith("{"):
            continue
        x = json.loads(line)
        print(f"{x['name']}: {x['value']} {x['unit']} (target {x['target']} {x['unit']})")


def load(ask, clients=16, seconds=20):
    """16 clients, mixed dashboard queries; at least 30 % carry a filter never seen before."""
    seen, lock, times, fresh_count = set(), threading.Lock(), [], [0]
    common = [{"measures": "revenue,gross_profit,gross_margin", "by": "month"}, {"measures": "revenue,labor_cost,gross_margin", "by": "client", "order": "gross_margin", "limit": "20"},
              {"measures": "utilization,billable_utilization", "by": "staff", "from": "2024-01", "to": "2025-01"}, {"measures": "license_waste,license_utilization", "by": "product"},
              {"measures": "hours_worked,billable_hours", "by": "quarter"}, {"measures": "revenue,recurring_revenue", "by": "industry,year"}]

    def unseen(rnd):
        while True:
            names = ", ".join(f'"Client {rnd.randint(1, 300):03d} Corp"' for _ in range(rnd.randint(1, 4)))
            month = f"202{rnd.randint(2, 4)}-{rnd.randint(1, 12):02d}"
            q = rnd.choice([{"measures": "revenue,labor_cost,gross_margin", "by": "month", "where": f"client in [{names}] and month >= {month}"},
                            {"measures": "hours_worked,billable_hours,labor_cost", "by": "client", "where": f"client in [{names}]", "from": month, "to": "2025-01"},
                            {"measures": "revenue", "by": "client", "where": f"not (client in [{names}]) and month < {month}", "order": "-revenue", "limit": "10"}])
            key = json.dumps(q, sort_keys=True)
            with lock:
                if key not in seen:
                    seen.add(key)
                    fresh_count[0] += 1
                    return q

    end = time.time() + seconds

    def client(n):
        rnd, mine = random.Random(n), []
        c = http.client.HTTPConnection("127.0.0.1", 18080, timeout=60)
        while time.time() < end:
            mine.append(ask(unseen(rnd) if rnd.random() < 0.35 else rnd.choice(common), c))
        with lock:
            times.extend(mine)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    start = time.time()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    wall = time.time() - start
    times.sort()
    print(f"{clients} clients, {seconds} s: {len(times) / wall:.0f} requests/s, {100 * fresh_count[0] / len(times):.0f} % with filters never seen, "
          f"p50 {times[len(times) // 2]:.1f} ms, p99 {times[int(len(times) * 0.99)]:.1f} ms")


imports()
serving()
