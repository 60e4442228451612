// Rust: a thread for each stage, a std::sync::mpsc::sync_channel for each hop. Usage: chain WORK ITEMS CAPACITY
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Instant;

#[derive(Default)]
struct Checksum {
    count: u64,
    sum: i32,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let items: u64 = arguments[2].parse().unwrap();
    let capacity: usize = arguments[3].parse().unwrap();
    let before = Usage::now();
    let started = Instant::now();
    let result = match arguments[1].as_str() {
        "text" => run_text(items, capacity),
        "hop" => run_hop(items, capacity),
        "record" => run_record(items, capacity),
        "frames" => run_frames(items, capacity),
        other => panic!("no work {}", other),
    };
    let elapsed = started.elapsed();
    let after = Usage::now();
    println!(
        "{{\"count\":{},\"sum\":{},\"elapsedMs\":{},\"switches\":{},\"cpuMs\":{},\"maxRssKb\":{}}}",
        result.count,
        result.sum,
        elapsed.as_nanos() as f64 / 1e6,
        after.switches - before.switches,
        after.cpu_ms - before.cpu_ms,
        after.max_rss_kb
    );
}

// --- text and hop

fn make_line(number: u64) -> String {
    format!("the mill race runs on, item {number}")
}

fn reverse(line: String) -> String {
    let mut bytes = line.into_bytes();
    bytes.reverse();
    String::from_utf8(bytes).unwrap()
}

fn upper(mut line: String) -> String {
    line.make_ascii_uppercase();
    line
}

impl Checksum {
    fn add_line(&mut self, line: &str) {
        let bytes = line.as_bytes();
        let own = bytes.len() as i32 + bytes[0] as i32 + bytes[bytes.len() >> 1] as i32;
        self.count += 1;
        self.sum = self.sum.wrapping_mul(31).wrapping_add(own);
    }
}

fn run_text(items: u64, capacity: usize) -> Checksum {
    let (lines, from_lines) = sync_channel::<String>(capacity);
    let (uppers, from_uppers) = sync_channel::<String>(capacity);
    let (reverses, from_reverses) = sync_channel::<String>(capacity);
    thread::spawn(move || (0..items).for_each(|number| lines.send(make_line(number)).unwrap()));
    thread::spawn(move || from_lines.iter().for_each(|line| uppers.send(upper(line)).unwrap()));
    thread::spawn(move || from_uppers.iter().for_each(|line| reverses.send(reverse(line)).unwrap()));
    let mut result = Checksum::default();
    from_reverses.iter().for_each(|line| result.add_line(&line));
    result
}

fn run_hop(items: u64, capacity: usize) -> Checksum {
    let (lines, from_lines) = sync_channel::<String>(capacity);
    thread::spawn(move || (0..items).for_each(|number| lines.send(make_line(number)).unwrap()));
    let mut result = Checksum::default();
    from_lines.iter().for_each(|line| result.add_line(&line));
    result
}

// --- record

struct Record {
    id: u64,
    text: String,
    score: f64,
    tags: [&'static str; 2],
    rank: f64,
}

const TAGS: [&str; 8] = ["oak", "ash", "elm", "alder", "willow", "hazel", "birch", "rowan"];

fn make_record(number: u64) -> Record {
    Record {
        id: number,
        text: format!("record number {number}"),
        score: (number % 1000) as f64 / 8.0,
        tags: [TAGS[(number & 7) as usize], TAGS[((number >> 3) & 7) as usize]],
        rank: 0.0,
    }
}

fn run_record(items: u64, capacity: usize) -> Checksum {
    let (made, from_made) = sync_channel::<Record>(capacity);
    let (ranked, from_ranked) = sync_channel::<Record>(capacity);
    let (kept, from_kept) = sync_channel::<Record>(capacity);
    thread::spawn(move || (0..items).for_each(|number| made.send(make_record(number)).unwrap()));
    thread::spawn(move || {
        for mut record in from_made.iter() {
            record.rank = record.score * 2.0 + record.text.len() as f64;
            ranked.send(record).unwrap();
        }
    });
    thread::spawn(move || {
        for record in from_ranked.iter().filter(|record| record.id % 10 != 3) {
            kept.send(record).unwrap();
        }
    });
    let mut result = Checksum::default();
    for record in from_kept.iter() {
        let own = (record.id as i32)
            .wrapping_add((record.rank * 4.0) as i32)
            .wrapping_add(record.tags[1].len() as i32);
        result.count += 1;
        result.sum = result.sum.wrapping_mul(31).wrapping_add(own);
    }
    result
}

// --- frames

const ROW_BYTES: usize = 1920 * 3;
const FRAME_BYTES: usize = 1080 * ROW_BYTES;

/// Frames are handed back to the source: a new one for each item would measure page faults.
fn run_frames(items: u64, capacity: usize) -> Checksum {
    let (filled, from_filled) = sync_channel::<Vec<u8>>(capacity);
    let (stamped, from_stamped) = sync_channel::<Vec<u8>>(capacity);
    let (inverted, from_inverted) = sync_channel::<Vec<u8>>(capacity);
    let (free, from_free) = sync_channel::<Vec<u8>>(capacity);
    (0..capacity).for_each(|_| free.send(vec![0; FRAME_BYTES]).unwrap());
    thread::spawn(move || {
        for number in 0..items {
            let mut frame = from_free.recv().unwrap();
            frame.fill(number as u8);
            filled.send(frame).unwrap();
        }
    });
    thread::spawn(move || {
        for mut frame in from_filled.iter() {
            for (row, bytes) in frame.chunks_exact_mut(ROW_BYTES).enumerate() {
                bytes[0] = bytes[0].wrapping_add(row as u8);
            }
            stamped.send(frame).unwrap();
        }
    });
    thread::spawn(move || {
        for mut frame in from_stamped.iter() {
            frame.chunks_exact_mut(ROW_BYTES).for_each(|row| row[1] ^= 0xff);
            inverted.send(frame).unwrap();
        }
    });
    let mut result = Checksum::default();
    for frame in from_inverted.iter() {
        let own: i32 = frame
            .chunks_exact(ROW_BYTES)
            .map(|row| row[0] as i32 + row[1] as i32 + row[ROW_BYTES - 1] as i32)
            .sum();
        result.count += 1;
        result.sum = result.sum.wrapping_mul(31).wrapping_add(own);
        // The source may have ended.
        let _ = free.send(frame);
    }
    result
}

// --- what the process has used

struct Usage {
    switches: i64,
    cpu_ms: f64,
    max_rss_kb: i64,
}

extern "C" {
    fn getrusage(who: i32, usage: *mut [i64; 18]) -> i32;
}

impl Usage {
    fn now() -> Usage {
        // struct rusage on 64-bit systems: two timevals, then 14 longs.
        let mut fields = [0i64; 18];
        unsafe { getrusage(0, &mut fields) };
        let micros = (fields[0] + fields[2]) * 1_000_000 + fields[1] + fields[3];
        Usage {
            switches: fields[16] + fields[17],
            cpu_ms: micros as f64 / 1000.0,
            max_rss_kb: fields[4],
        }
    }
}
