"""The price of a million messages is what the prices that stand beside it come to.

  costs.py PAGE
"""
import pathlib, re, sys

# What the table leaves out because the row above says it.
SHARES = {"half of it": 0.5, "all": 1, "nothing": 0}
SIZES = {"KB": 1, "MB": 1_000}
# A month has so many days, and a message lies there for two to three of them.
MONTH, DAYS = 30, 2.5


def main():
    page = pathlib.Path(sys.argv[1]).read_text()
    price = lambda words: float(re.search(rf"([\d.]+) \$ {words}", page)[1])
    second, invocations, put, get, month, log = (price(words) for words in (
        "a GB-second", "a million invocations", "a million puts", "a million gets", "a GB-month", "a GB\\."))
    octets = float(re.search(r"about ([\d.]+) KB", page)[1])
    parts = [float(number) for number in re.search(r"about [\d.]+ KB: ([\d.]+) \D+ ([\d.]+) \D+ ([\d.]+)", page).groups()]
    faults = [] if abs(sum(parts) - octets) < 0.051 else [f"{parts} are not {octets} KB"]
    formula = {word: number for number, word in re.findall(r"([\d.]+) \$ × (seconds|share|KB a message|KB of log)", page)}
    stored = month * DAYS / MONTH
    for words, value in (("seconds", second * 1e6), ("share", put + get), ("KB a message", stored), ("KB of log", log)):
        digits = len(formula[words].split(".")[1])
        faults += [f"{words}: {formula[words]} $ is {value}"] if round(value, digits) != float(formula[words]) else []
    rows = re.findall(r"\| ([^|]+) \| ([\d.]+) \$ \| ([\d.]+) \$ \| ([\d.]+) \$ \| ([\d.]+) \$ \|", page)
    seconds, size = 0, 0
    for what, *said in rows:
        share = next(share for word, share in SHARES.items() if word in what)
        seconds = float(found[1]) if (found := re.search(r"([\d.]+) s\b", what)) else seconds
        size = float(found[1]) * SIZES[found[2]] if (found := re.search(r"([\d.]+) (KB|MB)", what)) else size
        parts = [second * 1e6 * seconds + invocations, (put + get + stored * size) * share, log * octets]
        for name, value, number in zip(("Lambda", "S3", "log", "all"), parts + [sum(parts)], said):
            faults += [f"{what}: {name} is {value:.4f} $, and not {number} $"] if abs(value - float(number)) > 0.0051 else []
    faults += [] if rows else ["there is no table"]
    for fault in faults:
        print(fault)
    print(f"{len(rows)} rows of prices, {len(faults)} faults")
    return bool(faults)


sys.exit(main())
