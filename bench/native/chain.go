// Go: a goroutine for each stage, a buffered channel for each hop. Usage: chain WORK ITEMS CAPACITY
package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type checksum struct {
	count int
	sum   int32
}

func main() {
	items, _ := strconv.Atoi(os.Args[2])
	capacity, _ := strconv.Atoi(os.Args[3])
	run := map[string]func(int, int) checksum{
		"text": runText, "hop": runHop, "record": runRecord, "frames": runFrames,
	}[os.Args[1]]
	switchesBefore, cpuBefore := usage()
	started := time.Now()
	result := run(items, capacity)
	elapsed := time.Since(started)
	switches, cpu := usage()
	var rusage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &rusage)
	fmt.Printf(`{"count":%d,"sum":%d,"elapsedMs":%f,"switches":%d,"cpuMs":%f,"maxRssKb":%d}`+"\n",
		result.count, result.sum, float64(elapsed.Nanoseconds())/1e6, switches-switchesBefore, cpu-cpuBefore, rusage.Maxrss)
}

func usage() (int64, float64) {
	var rusage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &rusage)
	cpu := float64(rusage.Utime.Nano()+rusage.Stime.Nano()) / 1e6
	return rusage.Nvcsw + rusage.Nivcsw, cpu
}

// --- text and hop

func makeLine(number int) string {
	return "the mill race runs on, item " + strconv.Itoa(number)
}

func reverse(line string) string {
	last := len(line) - 1
	reversed := make([]byte, len(line))
	for index := range reversed {
		reversed[index] = line[last-index]
	}
	return string(reversed)
}

func (c *checksum) addLine(line string) {
	c.count++
	c.sum = c.sum*31 + int32(len(line)) + int32(line[0]) + int32(line[len(line)>>1])
}

func runText(items, capacity int) checksum {
	lines, uppers, reverses := make(chan string, capacity), make(chan string, capacity), make(chan string, capacity)
	go func() {
		for number := 0; number < items; number++ {
			lines <- makeLine(number)
		}
		close(lines)
	}()
	go func() {
		for line := range lines {
			uppers <- strings.ToUpper(line)
		}
		close(uppers)
	}()
	go func() {
		for line := range uppers {
			reverses <- reverse(line)
		}
		close(reverses)
	}()
	var result checksum
	for line := range reverses {
		result.addLine(line)
	}
	return result
}

func runHop(items, capacity int) checksum {
	lines := make(chan string, capacity)
	go func() {
		for number := 0; number < items; number++ {
			lines <- makeLine(number)
		}
		close(lines)
	}()
	var result checksum
	for line := range lines {
		result.addLine(line)
	}
	return result
}

// --- record

type record struct {
	id    int
	text  string
	score float64
	tags  [2]string
	rank  float64
}

var tagNames = [8]string{"oak", "ash", "elm", "alder", "willow", "hazel", "birch", "rowan"}

func runRecord(items, capacity int) checksum {
	made, ranked, kept := make(chan *record, capacity), make(chan *record, capacity), make(chan *record, capacity)
	go func() {
		for number := 0; number < items; number++ {
			made <- &record{
				id:    number,
				text:  "record number " + strconv.Itoa(number),
				score: float64(number%1000) / 8,
				tags:  [2]string{tagNames[number&7], tagNames[(number>>3)&7]},
			}
		}
		close(made)
	}()
	go func() {
		for item := range made {
			item.rank = item.score*2 + float64(len(item.text))
			ranked <- item
		}
		close(ranked)
	}()
	go func() {
		for item := range ranked {
			if item.id%10 != 3 {
				kept <- item
			}
		}
		close(kept)
	}()
	var result checksum
	for item := range kept {
		result.count++
		result.sum = result.sum*31 + int32(item.id) + int32(item.rank*4) + int32(len(item.tags[1]))
	}
	return result
}

// --- frames

const frameBytes, rowBytes = 1920 * 1080 * 3, 1920 * 3

// Frames are handed back to the source: a new one for each item would measure page faults.
func runFrames(items, capacity int) checksum {
	filled, stamped, inverted := make(chan []byte, capacity), make(chan []byte, capacity), make(chan []byte, capacity)
	free := make(chan []byte, capacity)
	for frame := 0; frame < capacity; frame++ {
		free <- make([]byte, frameBytes)
	}
	go func() {
		for number := 0; number < items; number++ {
			frame := <-free
			value := byte(number)
			// The compiler knows only the clearing of memory; copying from what is filled doubles its way through.
			frame[0] = value
			for done := 1; done < len(frame); done *= 2 {
				if done >= 4096 {
					for at := done; at < len(frame); at += copy(frame[at:], frame[:done]) {
					}
					break
				}
				copy(frame[done:], frame[:done])
			}
			filled <- frame
		}
		close(filled)
	}()
	go func() {
		for frame := range filled {
			for at, row := 0, 0; at < frameBytes; at, row = at+rowBytes, row+1 {
				frame[at] += byte(row)
			}
			stamped <- frame
		}
		close(stamped)
	}()
	go func() {
		for frame := range stamped {
			for at := 0; at < frameBytes; at += rowBytes {
				frame[at+1] ^= 0xff
			}
			inverted <- frame
		}
		close(inverted)
	}()
	var result checksum
	for frame := range inverted {
		result.count++
		sum := result.sum * 31
		for at := 0; at < frameBytes; at += rowBytes {
			sum += int32(frame[at]) + int32(frame[at+1]) + int32(frame[at+rowBytes-1])
		}
		result.sum = sum
		free <- frame
	}
	return result
}
