// oneTBB: a parallel_pipeline of serial, ordered filters; the capacity is its number of tokens.
// Usage: chain WORK ITEMS CAPACITY
#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <tbb/parallel_pipeline.h>
#include <vector>

constexpr auto SERIAL = tbb::filter_mode::serial_in_order;

struct Checksum {
  uint64_t count = 0;
  // Unsigned: its overflow is defined.
  uint32_t sum = 0;

  void add(uint32_t own) {
    count++;
    sum = sum * 31 + own;
  }
};

// --- text and hop

const auto makeLine = [](uint64_t number) { return "the mill race runs on, item " + std::to_string(number); };

const auto upper = [](std::string line) {
  for (char &letter : line) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return line;
};

const auto reverse = [](std::string line) {
  std::reverse(line.begin(), line.end());
  return line;
};

static void addLine(Checksum &checksum, const std::string &line) {
  checksum.add(static_cast<uint32_t>(line.size()) + static_cast<unsigned char>(line[0]) +
               static_cast<unsigned char>(line[line.size() >> 1]));
}

/** Gives the numbers from 0 on, then stops the pipeline. */
template <typename Make> auto source(uint64_t items, Make make) {
  // A filter is copied, and const: the number lives outside it.
  auto next = std::make_shared<uint64_t>(0);
  return [items, make, next](tbb::flow_control &control) {
    if (*next == items) {
      control.stop();
      return decltype(make(*next)){};
    }
    return make((*next)++);
  };
}

static Checksum runText(uint64_t items, size_t capacity) {
  Checksum checksum;
  tbb::parallel_pipeline(capacity,
                         tbb::make_filter<void, std::string>(SERIAL, source(items, makeLine)) &
                             tbb::make_filter<std::string, std::string>(SERIAL, upper) &
                             tbb::make_filter<std::string, std::string>(SERIAL, reverse) &
                             tbb::make_filter<std::string, void>(
                                 SERIAL, [&](const std::string &line) { addLine(checksum, line); }));
  return checksum;
}

static Checksum runHop(uint64_t items, size_t capacity) {
  Checksum checksum;
  tbb::parallel_pipeline(capacity,
                         tbb::make_filter<void, std::string>(SERIAL, source(items, makeLine)) &
                             tbb::make_filter<std::string, void>(
                                 SERIAL, [&](const std::string &line) { addLine(checksum, line); }));
  return checksum;
}

// --- record

struct Record {
  uint64_t id;
  std::string text;
  double score;
  std::string_view tags[2];
  double rank;
};
using Item = std::shared_ptr<Record>;

const auto makeRecord = [](uint64_t number) -> Item {
  static const std::string_view TAGS[] = {"oak", "ash", "elm", "alder", "willow", "hazel", "birch", "rowan"};
  return std::make_shared<Record>(Record{number,
                                         "record number " + std::to_string(number),
                                         static_cast<double>(number % 1000) / 8,
                                         {TAGS[number & 7], TAGS[(number >> 3) & 7]},
                                         0});
};

static Checksum runRecord(uint64_t items, size_t capacity) {
  Checksum checksum;
  auto rank = [](Item item) {
    item->rank = item->score * 2 + static_cast<double>(item->text.size());
    return item;
  };
  // A filter has one output for each input: what is dropped goes on as nothing.
  auto keep = [](Item item) { return item->id % 10 == 3 ? Item{} : item; };
  auto add = [&](const Item &item) {
    if (item == nullptr) return;
    checksum.add(static_cast<uint32_t>(item->id) + static_cast<uint32_t>(item->rank * 4) +
                 static_cast<uint32_t>(item->tags[1].size()));
  };
  tbb::parallel_pipeline(capacity, tbb::make_filter<void, Item>(SERIAL, source(items, makeRecord)) &
                                       tbb::make_filter<Item, Item>(SERIAL, rank) &
                                       tbb::make_filter<Item, Item>(SERIAL, keep) &
                                       tbb::make_filter<Item, void>(SERIAL, add));
  return checksum;
}

// --- frames

constexpr size_t ROW_BYTES = 1920 * 3;
constexpr size_t FRAME_BYTES = 1080 * ROW_BYTES;
using Frame = uint8_t *;

/** No more than `capacity` tokens are under way, and they keep their order: so many frames, in turn, are enough. */
static Checksum runFrames(uint64_t items, size_t capacity) {
  Checksum checksum;
  std::vector<std::vector<uint8_t>> frames(capacity, std::vector<uint8_t>(FRAME_BYTES));
  auto fill = [&](uint64_t number) {
    Frame frame = frames[number % capacity].data();
    std::memset(frame, static_cast<int>(number & 0xff), FRAME_BYTES);
    return frame;
  };
  auto stamp = [](Frame frame) {
    for (size_t at = 0, row = 0; at < FRAME_BYTES; at += ROW_BYTES, row++) frame[at] += static_cast<uint8_t>(row);
    return frame;
  };
  auto invert = [](Frame frame) {
    for (size_t at = 0; at < FRAME_BYTES; at += ROW_BYTES) frame[at + 1] ^= 0xff;
    return frame;
  };
  auto add = [&](Frame frame) {
    uint32_t own = 0;
    for (size_t at = 0; at < FRAME_BYTES; at += ROW_BYTES) {
      own += static_cast<uint32_t>(frame[at]) + frame[at + 1] + frame[at + ROW_BYTES - 1];
    }
    checksum.add(own);
  };
  tbb::parallel_pipeline(capacity, tbb::make_filter<void, Frame>(SERIAL, source(items, fill)) &
                                       tbb::make_filter<Frame, Frame>(SERIAL, stamp) &
                                       tbb::make_filter<Frame, Frame>(SERIAL, invert) &
                                       tbb::make_filter<Frame, void>(SERIAL, add));
  return checksum;
}

// --- main

static double cpuMs(const rusage &usage) {
  auto toMs = [](const timeval &time) { return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3; };
  return toMs(usage.ru_utime) + toMs(usage.ru_stime);
}

int main(int, char **arguments) {
  const std::string work = arguments[1];
  const uint64_t items = std::strtoull(arguments[2], nullptr, 10);
  const size_t capacity = std::strtoull(arguments[3], nullptr, 10);
  rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  const auto started = std::chrono::steady_clock::now();
  Checksum result;
  if (work == "text") result = runText(items, capacity);
  else if (work == "hop") result = runHop(items, capacity);
  else if (work == "record") result = runRecord(items, capacity);
  else if (work == "frames") result = runFrames(items, capacity);
  else return 2;
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - started;
  getrusage(RUSAGE_SELF, &after);
  std::printf("{\"count\":%llu,\"sum\":%d,\"elapsedMs\":%f,\"switches\":%ld,\"cpuMs\":%f,\"maxRssKb\":%ld}\n",
              static_cast<unsigned long long>(result.count), static_cast<int32_t>(result.sum), elapsed.count(),
              after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw - before.ru_nivcsw, cpuMs(after) - cpuMs(before),
              after.ru_maxrss);
}
