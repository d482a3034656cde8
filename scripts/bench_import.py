"""Benchmarks of looking at and of dirty files: bench_import.py MOATMETRICS WORKDIR LOGS.CSV DIRTY.CSV (called by scripts/bench.sh).

LOGS.CSV is imported and looked at (--dry-run) in turn; of DIRTY.CSV every hundredth row is
spoiled, and each must be reported. Needs nothing but Python."""
import json, os, shutil, statistics, subprocess, sys, time

binary, work, logs, dirty = os.path.abspath(sys.argv[1]), *sys.argv[2:5]
REPEATS = int(os.environ.get("MOAT_BENCH_REPEATS", "5"))


def run(args, codes=(0,), out=None):
    """Runs a process to its end: wall seconds and peak memory in MB."""
    start = time.time()
    with open(out or os.devnull, "w") as sink:
        p = subprocess.Popen(args, stdout=sink, stderr=subprocess.PIPE)
        err = p.stderr.read()
        _, status, usage = os.wait4(p.pid, 0)
    if os.waitstatus_to_exitcode(status) not in codes:
        sys.exit(f"{args}: {status}\n{err.decode()}")
    return time.time() - start, usage.ru_maxrss / 1024


def fresh(name):
    path = os.path.join(work, name)
    shutil.rmtree(path, ignore_errors=True)
    os.makedirs(path)
    return path


def dry_run():
    plain, look = [], []
    for _ in range(REPEATS):  # in turn: the machine's speed drifts
        plain.append(run([binary, "import", logs, "--data", fresh("plain")]))
        look.append(run([binary, "import", logs, "--dry-run", "--data", fresh("look")]))
    print(f"import, and profile with dry run, of {os.path.basename(logs)} (median of {REPEATS}, wall s / peak MB)")
    for name, r in (("import", plain), ("dry run", look)):
        print(f"  {name:8} {statistics.median(x[0] for x in r):6.2f} s {max(x[1] for x in r):7.0f} MB")
    print(f"  ratio of the dry run to the import {statistics.median(d[0] / p[0] for d, p in zip(look, plain)):.2f}")


def spoil(source, target):
    """Copies time logs with every hundredth row's hours spoiled, and counts the spoiled rows."""
    rows = bad = 0
    with open(source, encoding="utf-8") as i, open(target, "w", encoding="utf-8") as o:
        head = next(i)
        o.write(head)
        column = head.strip().split(",").index("hours")
        for line in i:
            rows += 1
            if rows % 100 == 0 and '"' not in line:
                cells = line.split(",")
                cells[column] = f"x{rows}"
                line = ",".join(cells)
                bad += 1
            o.write(line)
    return rows, bad


def rejects():
    spoiled, listed, told = (os.path.join(work, n) for n in ("time_logs_spoiled.csv", "rejects.csv", "result.json"))
    rows, bad = spoil(dirty, spoiled)
    wall, peak = run([binary, "import", spoiled, "--dataset", "time_entries", "--rejects", listed, "--json", "--data", fresh("dirty")], codes=(3,), out=told)
    with open(told, encoding="utf-8") as f:
        r = json.loads(f.readline())
    with open(listed, encoding="utf-8") as f:
        lines = sum(1 for _ in f) - 1
    print(f"import of {rows:,} time entries, {bad:,} of them bad: {wall:.1f} s, peak {peak:.0f} MB; {r['rows_rejected']:,} rejected, {lines:,} in the rejects file")
    if not (r["rows_read"] == rows and r["rows_rejected"] == lines == bad and r["rows_added"] == rows - bad):
        sys.exit("not every row is stored or reported")


dry_run()
rejects()
