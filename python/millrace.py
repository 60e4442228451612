"""The Python side of a stage: functions of items, called one after the other.

    import millrace

    def double(item):
        return item * 2

    if __name__ == "__main__":
        millrace.run(double)

An item is what JSON can say, with bytes (a Uint8Array over there), numpy arrays (typed arrays of one dimension; of several,
{data, shape}), integers of any size (bigints over there from 2**53 on), nan and inf. Without numpy, typed arrays arrive as
memoryviews; those, and arrays of the module array, are typed arrays over there. An exception fails its item, with its
traceback; the next item comes all the same.

Stdin and stdout belong to the protocol. In a stage they are taken when this file is imported, so import it before anything is
printed. What is printed after that goes to stderr, and whoever reads stdin reads nothing: so it is for programs that the
function starts, too. Where no stage has started it, the import changes nothing.

One file, no dependency; Python 3.8 or later.
"""
import array
import json
import math
import os
import struct
import sys
import traceback

try:
    import numpy
except ImportError:
    numpy = None

_FORMATS = {
    "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I",
    "int64": "q", "uint64": "Q", "float32": "f", "float64": "d",
}
# How many bytes their numbers have depends on the machine.
_KINDS = {**dict.fromkeys("bhilqn", "int"), **dict.fromkeys("BHILQN", "uint"), **dict.fromkeys("fd", "float")}
# A float holds no larger integer exactly, with all below it.
_MOST_SAFE = 2 ** 53 - 1


def _take_protocol():
    """Its two ends, moved to where nobody else meets them, and no program that is started inherits them."""
    ends = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    # What was printed before, and is not written yet.
    sys.stdout.flush()
    sys.stdout = sys.stderr
    return ends


# Not for the programs that it starts, where stdin and stdout are no protocol.
_ends = _take_protocol() if os.environ.pop("MILLRACE_PYTHON_STAGE", None) else None


def run(function):
    """Answers every item on stdin with what the function makes of it, until stdin ends."""
    source, target = _ends or _take_protocol()
    if _ends:
        # An empty frame: it is ready. Who ends before that has nothing to do with the items.
        target.write(struct.pack(">I", 0))
        target.flush()
    while True:
        frame = _read_frame(source)
        if frame is None:
            return
        try:
            answer = _encode({"value": function(_decode(frame))})
        except Exception as error:
            told = {"type": type(error).__name__, "message": str(error), "traceback": traceback.format_exc()}
            answer = _encode({"error": told})
        target.write(struct.pack(">I", sum(map(len, answer))))
        for part in answer:
            target.write(part)
        target.flush()


def _read_frame(source):
    head = source.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack(">I", head)
    frame = source.read(length)
    return frame if len(frame) == length else None


def _decode(frame):
    (length,) = struct.unpack_from(">I", frame)
    at = 4 + length
    head = json.loads(frame[4:at].decode("utf-8"))
    parts = []
    for size in head["sizes"]:
        parts.append(memoryview(frame)[at:at + size])
        at += size
    return _revive(head["value"], parts)


def _revive(value, parts):
    if isinstance(value, list):
        return [_revive(one, parts) for one in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return bytes(parts[value["$bytes"]])
    if "$array" in value:
        return _array(parts[value["$array"]], value["dtype"], value["shape"])
    if "$int" in value:
        return int(value["$int"], 16)
    if "$float" in value:
        return float(value["$float"])
    if "$object" in value:
        value = value["$object"]
    return {key: _revive(one, parts) for key, one in value.items()}


def _array(part, dtype, shape):
    if numpy is not None:
        return numpy.frombuffer(part, dtype=numpy.dtype(dtype).newbyteorder("<")).reshape(shape).copy()
    flat = memoryview(bytes(part)).cast(_FORMATS[dtype])
    # A memoryview has no dimension of 0.
    return flat.cast("B").cast(_FORMATS[dtype], shape) if len(shape) > 1 and all(shape) else flat


def _encode(message):
    parts = []
    value = _plain(message, parts)
    head = json.dumps({"value": value, "sizes": [len(part) for part in parts]}, allow_nan=False).encode("utf-8")
    return [struct.pack(">I", len(head)), head, *parts]


def _plain(value, parts):
    if isinstance(value, (bytes, bytearray)):
        return _bytes(value, parts)
    if isinstance(value, (memoryview, array.array)):
        return _plain_view(memoryview(value), parts)
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _plain_array(value, parts)
    if numpy is not None and isinstance(value, numpy.generic):
        item = value.item()
        if isinstance(item, numpy.generic):
            raise TypeError("a number of %s cannot travel" % value.dtype)
        return _plain(item, parts)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": _name_of(value)}
    if isinstance(value, int) and abs(value) > _MOST_SAFE:
        return {"$int": "%x" % value}
    if isinstance(value, (list, tuple)):
        return [_plain(one, parts) for one in value]
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise TypeError("the key %r of an object is no text" % (key,))
        plain = {key: _plain(one, parts) for key, one in value.items()}
        return {"$object": plain} if any(key.startswith("$") for key in plain) else plain
    return value


def _name_of(value):
    """As JavaScript reads it."""
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _bytes(value, parts):
    parts.append(bytes(value))
    return {"$bytes": len(parts) - 1}


def _plain_array(value, parts):
    if isinstance(value, numpy.ma.MaskedArray):
        raise TypeError("a masked array cannot travel with its mask: give value.filled(...), or value.data and value.mask")
    if value.dtype.name not in _FORMATS:
        raise TypeError("an array of %s cannot travel; known are %s" % (value.dtype, ", ".join(_FORMATS)))
    parts.append(value.astype(value.dtype.newbyteorder("<"), copy=False).tobytes())
    return {"$array": len(parts) - 1, "dtype": value.dtype.name, "shape": list(value.shape)}


def _plain_view(view, parts):
    if view.format in ("B", "c") and view.ndim == 1:
        return _bytes(view, parts)
    dtype = "%s%d" % (_KINDS.get(view.format), 8 * view.itemsize)
    if dtype not in _FORMATS:
        raise TypeError("a memoryview of format %r cannot travel" % view.format)
    parts.append(view.tobytes())
    return {"$array": len(parts) - 1, "dtype": dtype, "shape": list(view.shape)}
