"""Python: a thread for each stage, a queue.Queue for each hop. Usage: chain.py WORK ITEMS CAPACITY"""

import ctypes
import json
import queue
import resource
import sys
import threading
import time

END = object()


class Checksum:
    def __init__(self):
        self.count = 0
        self.sum = 0

    def add(self, own):
        self.count += 1
        self.sum = (self.sum * 31 + own) & 0xFFFFFFFF


def run_chain(capacity, source, steps, add):
    """The sink is the thread that calls. A step that returns None drops the item."""
    queues = [queue.Queue(capacity) for _ in range(len(steps) + 1)]

    def read():
        put = queues[0].put
        for item in source():
            put(item)
        put(END)

    def process(step, get, put):
        while (item := get()) is not END:
            if (result := step(item)) is not None:
                put(result)
        put(END)

    threads = [threading.Thread(target=read)]
    for step, before, after in zip(steps, queues, queues[1:]):
        threads.append(threading.Thread(target=process, args=(step, before.get, after.put)))
    for thread in threads:
        thread.start()
    get = queues[-1].get
    while (item := get()) is not END:
        add(item)
    for thread in threads:
        thread.join()


# --- text and hop


def make_lines(items):
    return lambda: (f"the mill race runs on, item {number}" for number in range(items))


def run_lines(items, capacity, steps):
    checksum = Checksum()

    def add(line):
        checksum.add(len(line) + ord(line[0]) + ord(line[len(line) >> 1]))

    run_chain(capacity, make_lines(items), steps, add)
    return checksum


def run_text(items, capacity):
    return run_lines(items, capacity, [str.upper, lambda line: line[::-1]])


def run_hop(items, capacity):
    return run_lines(items, capacity, [])


# --- record

TAGS = ["oak", "ash", "elm", "alder", "willow", "hazel", "birch", "rowan"]


def run_record(items, capacity):
    checksum = Checksum()

    def read():
        for number in range(items):
            yield {
                "id": number,
                "text": f"record number {number}",
                "score": (number % 1000) / 8,
                "tags": [TAGS[number & 7], TAGS[(number >> 3) & 7]],
            }

    def rank(record):
        record["rank"] = record["score"] * 2 + len(record["text"])
        return record

    def keep(record):
        return None if record["id"] % 10 == 3 else record

    def add(record):
        checksum.add(record["id"] + int(record["rank"] * 4) + len(record["tags"][1]))

    run_chain(capacity, read, [rank, keep], add)
    return checksum


# --- frames

ROW_BYTES = 1920 * 3
FRAME_BYTES = 1080 * ROW_BYTES
INVERTED = bytes(255 - value for value in range(256))


def run_frames(items, capacity):
    """Frames are handed back to the source: a new one for each item would measure page faults."""
    checksum = Checksum()
    free = queue.Queue()
    for _ in range(capacity):
        free.put(bytearray(FRAME_BYTES))
    rows = [bytes((value + row) & 0xFF for row in range(1080)) for value in range(256)]

    def read():
        for number in range(items):
            frame = free.get()
            ctypes.memset((ctypes.c_char * FRAME_BYTES).from_buffer(frame), number & 0xFF, FRAME_BYTES)
            yield frame

    def stamp(frame):
        frame[::ROW_BYTES] = rows[frame[0]]
        return frame

    def invert(frame):
        frame[1::ROW_BYTES] = frame[1::ROW_BYTES].translate(INVERTED)
        return frame

    def add(frame):
        own = sum(frame[::ROW_BYTES]) + sum(frame[1::ROW_BYTES]) + sum(frame[ROW_BYTES - 1 :: ROW_BYTES])
        checksum.add(own)
        free.put(frame)

    run_chain(capacity, read, [stamp, invert], add)
    return checksum


def main():
    work, items, capacity = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    run = {"text": run_text, "hop": run_hop, "record": run_record, "frames": run_frames}[work]
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.perf_counter()
    result = run(items, capacity)
    elapsed = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    signed = result.sum - (1 << 32) if result.sum >= 1 << 31 else result.sum
    print(
        json.dumps(
            {
                "count": result.count,
                "sum": signed,
                "elapsedMs": elapsed * 1000,
                "switches": after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw,
                "cpuMs": (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000,
                "maxRssKb": after.ru_maxrss,
            }
        )
    )


main()
