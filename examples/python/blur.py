"""Blurs pictures: the mean of each pixel and its neighbours, by numpy."""
import numpy
import millrace


def blur(item):
    picture = item["picture"].astype(numpy.float32)
    padded = numpy.pad(picture, 1, mode="edge")
    height, width = picture.shape
    total = sum(padded[y:y + height, x:x + width] for y in range(3) for x in range(3))
    return {"number": item["number"], "picture": (total / 9).astype(numpy.float32)}


if __name__ == "__main__":
    millrace.run(blur)
