/*
 * The protocol of src/queue and src/host for one pipeline: a source, WORKERS workers of a middle stage, a sink.
 * To be read beside the code: what mirrors a function names it. A step is one atomic operation; plain accesses are left
 * out (the explorer has them). README.md says what is proved, and under which assumptions.
 *
 *   -DITEMS=n  -DCAP=n (records per lane)  -DWORKERS=1 or 2  -DORDERED (the sink merges)
 *   -DDEATHS=n (of middle workers, at any step)  -DSTOP (abort, at any step)
 *   -DAWAIT (the source goes on only when the last item is delivered: nothing that comes later may be needed for that)
 *   -DBUG_...: mistakes, each of which must make the check fail; model-checks.ts lists them
 */
#ifndef ITEMS
#define ITEMS 2
#endif
#ifndef CAP
#define CAP 1
#endif
#ifndef WORKERS
#define WORKERS 2
#endif
#ifndef DEATHS
#define DEATHS 0
#endif

/* Threads, which are bells too: 0 the source, 1 .. WORKERS the middle workers, then the sink. */
#define SOURCE 0
#define SINK (WORKERS + 1)
#define THREADS (WORKERS + 2)

/* lane.ts. Lane w leads from the source to worker w, lane WORKERS + w from it to the sink. One slot more, for SENTINEL. */
#define LANES (2 * WORKERS)
#define IN(w) (w)
#define OUT(w) (WORKERS + (w))
#define SLOTS (CAP + 1)
#define SENTINEL 15
#define NONE 0
typedef Lane { byte tail; byte head; byte item[SLOTS] };
Lane lane[LANES];
#define LEVEL(l) (lane[l].tail - lane[l].head)
#define FIRST(l) lane[l].item[lane[l].head % SLOTS]
#define NEWEST(l) (lane[l].tail == 0 -> NONE : lane[l].item[(lane[l].tail - 1) % SLOTS])

/* doorbell.ts */
#define AWAKE 0
#define ASLEEP 1
bit bell[THREADS];
bit waits[THREADS];                /* the thread is inside Atomics.wait */

/* queue-memory.ts: states of the ends. The source has one for all its lanes, the sink too. */
#define OPEN 1
#define DONE 2
#define GONE 3
byte producer[WORKERS + 1] = OPEN; /* 0: the source; w + 1: worker w */
byte consumer[WORKERS + 1] = OPEN; /* w: worker w; WORKERS: the sink */

bit stop;                          /* StopEvent: abort */
byte number;                       /* QueueMemory.storeNumber */

/* The worker that a thread is a life of. */
bit killed[WORKERS];
bit exited[WORKERS];               /* 'exit' was seen: the thread certainly runs no more */
bit doneMark[WORKERS];             /* WorkerCounters.life == DONE */
byte deaths;

/* Kept by the model, to judge by. */
byte delivered[ITEMS + 1];
byte sentinels[LANES];
bit isOver[THREADS];
byte newestOrder;

/*
 * Doorbell.ring: compareExchange; notify. Whoever is killed between the two has set the bell only. Where nobody is killed they are
 * one step: a sleeper that was not yet woken can do nothing, and no other ringer would do more. For the same reason the rings of
 * ringAll and of leave are one step there: who is awake already looks again before it sleeps, and sees what they are rung for.
 */
inline ring(b) {
#if DEATHS > 0
  d_step { woke = (bell[b] == ASLEEP); bell[b] = AWAKE };
  if :: woke -> waits[b] = 0; woke = 0 :: else fi
#else
  d_step { if :: bell[b] == ASLEEP -> bell[b] = AWAKE; waits[b] = 0 :: else fi }
#endif
}

/* Doorbell.ringAnyway: notifies whatever the bell says. */
inline ringAnyway(b) {
#ifdef BUG_RING_BELIEVES_BELL
  atomic { if :: bell[b] == ASLEEP -> bell[b] = AWAKE; waits[b] = 0 :: else fi }
#else
  d_step { bell[b] = AWAKE; waits[b] = 0 }
#endif
}

/* Doorbell.waitSync, step 3: Atomics.wait compares and sleeps at once. */
inline sleepOn(b) {
  atomic { if :: bell[b] == ASLEEP -> waits[b] = 1 :: else fi };
  waits[b] == 0;
  bell[b] = AWAKE
}

/* StopEvent.ringAll: of a supervisor, or whoever sets the stop. */
#if DEATHS > 0
inline ringAll() {
  i = 0;
  do
  :: i < THREADS -> ringAnyway(i); i++
  :: else -> break
  od;
  i = 0
}
#else
inline ringAll() {
  d_step {
    i = 0;
    do
    :: i < THREADS -> bell[i] = AWAKE; waits[i] = 0; i++
    :: else -> break
    od;
    i = 0
  }
}
#endif

/* QueueMemory.leave: rings the ends of that queue, from bell `first` to bell `last`. */
#if DEATHS > 0
inline ringQueue(first, last) {
  i = first;
  do
  :: i <= last -> ring(i); i++
  :: else -> break
  od;
  i = 0
}
#else
inline ringQueue(first, last) {
  d_step {
    i = first;
    do
    :: i <= last && bell[i] == ASLEEP -> bell[i] = AWAKE; waits[i] = 0; i++
    :: i <= last && bell[i] != ASLEEP -> i++
    :: else -> break
    od;
    i = 0
  }
}
#endif

/* LaneWriter.#publish: the slot is filled, then TAIL is stored, which publishes it. */
inline publish(l, x) {
  d_step {
    assert(LEVEL(l) < SLOTS);
    lane[l].item[lane[l].tail % SLOTS] = x;
    lane[l].tail++;
    if :: x == SENTINEL -> sentinels[l]++; assert(sentinels[l] == 1) :: else fi
  }
}

/* QueueWriter.#chooseLane, LaneWriter.hasRoom: `found` is a lane with room, or LANES. */
inline findRoom() {
  found = LANES;
  if
  :: consumer[0] == OPEN && LEVEL(IN(0)) < CAP -> found = IN(0)
#if WORKERS == 2
  :: consumer[1] == OPEN && LEVEL(IN(1)) < CAP -> found = IN(1)
  :: !(consumer[0] == OPEN && LEVEL(IN(0)) < CAP) && !(consumer[1] == OPEN && LEVEL(IN(1)) < CAP)
#else
  :: else
#endif
  fi
}

/* source-loop.ts over queue-writer.ts */
active proctype Source() {
  byte k = 1, i, found = LANES;
  bit woke;
  do
  :: k > ITEMS -> break
  :: stop -> break
  :: k <= ITEMS && !stop ->
     findRoom();
     if
     :: found == LANES ->                       /* Doorbell.waitSync: announce, look again, sleep */
        bell[SOURCE] = ASLEEP;
#ifndef BUG_NO_SECOND_LOOK
        findRoom();
        if
        :: found < LANES || stop -> bell[SOURCE] = AWAKE
        :: else -> sleepOn(SOURCE)
        fi
#else
        sleepOn(SOURCE)
#endif
     :: else ->                                 /* QueueWriter.tryPut: NUMBER, the record, the bell */
#ifndef BUG_NUMBER_AFTER_RECORD
        number = k - 1;
#endif
#ifdef BUG_RING_BEFORE_PUBLISH
        ring(found + 1);
        publish(found, k);
#else
        publish(found, k);
        ring(found + 1);
#endif
#ifdef BUG_NUMBER_AFTER_RECORD
        number = k - 1;
#endif
        k++
     fi;
     found = LANES
  od;
#ifdef AWAIT
  delivered[ITEMS] == 1 || stop;
#endif
  if                                            /* WorkerCore.leave */
  :: stop -> producer[0] = GONE
  :: else ->                                    /* QueueWriter.putEnd */
     publish(IN(0), SENTINEL);
     ring(1);
#if WORKERS == 2
     publish(IN(1), SENTINEL);
     ring(2);
#endif
     producer[0] = DONE
  fi;
  ringQueue(SOURCE, WORKERS);
  isOver[SOURCE] = 1
}

/* process-items.ts; a later life begins with take-up.ts. */
proctype Middle(byte w; bit isLater) {
  byte x, i;
  bit woke, hasPut;
  {
    if                                          /* WorkerLoop.#live: an earlier life had begun to put SENTINEL */
    :: isLater && NEWEST(OUT(w)) == SENTINEL -> goto Leave
    :: else
    fi;
Poll:
    if :: stop -> goto Leave :: else fi;
    if                                          /* InputReader.poll */
    :: LEVEL(IN(w)) > 0 -> x = FIRST(IN(w))
    :: LEVEL(IN(w)) == 0 ->
       if :: producer[0] >= DONE && LEVEL(IN(w)) == 0 -> goto Leave :: else fi;
       bell[w + 1] = ASLEEP;
       if
       :: stop || producer[0] >= DONE || LEVEL(IN(w)) > 0 -> bell[w + 1] = AWAKE
       :: else -> sleepOn(w + 1)
       fi;
       goto Poll
    fi;
    if :: x == SENTINEL -> goto Leave :: else fi;
#ifdef BUG_NO_TAKE_UP
    hasPut = 0;
#else
    hasPut = (isLater && NEWEST(OUT(w)) == x);  /* TakeUp.from: the newest record says which input made it */
#endif
#ifdef BUG_HEAD_BEFORE_OUTPUT
    lane[IN(w)].head++;
    ring(SOURCE);
#endif
Put:
    if
    :: hasPut
    :: !hasPut && LEVEL(OUT(w)) < CAP ->
       publish(OUT(w), x);
       ring(SINK)
    :: !hasPut && LEVEL(OUT(w)) >= CAP ->       /* OutputQueue.#putWhenRoom */
       if :: stop || consumer[WORKERS] >= DONE -> goto Leave :: else fi;
       bell[w + 1] = ASLEEP;
       if
       :: stop || consumer[WORKERS] >= DONE || LEVEL(OUT(w)) < CAP -> bell[w + 1] = AWAKE
       :: else -> sleepOn(w + 1)
       fi;
       goto Put
    fi;
#ifndef BUG_HEAD_BEFORE_OUTPUT
    lane[IN(w)].head++;                         /* LaneReader.#passTo: the item is given back */
#ifndef BUG_NO_RING_FOR_ROOM
    ring(SOURCE);                               /* InputLane.wakeWriter */
#endif
#endif
#if defined(ORDERED) && !defined(BUG_NO_RELEASE_BELL)
    ring(SINK);                                 /* InputReader.#ringReleased */
#endif
    x = 0;
    hasPut = 0;
    goto Poll;
Leave:
    consumer[w] = DONE;                         /* InputReader.leave */
    ringQueue(SOURCE, WORKERS);
    if                                          /* WorkerCore.leave */
    :: stop -> producer[w + 1] = GONE
    :: else ->
#ifdef BUG_END_TWICE
       publish(OUT(w), SENTINEL);
#else
       if :: NEWEST(OUT(w)) != SENTINEL -> publish(OUT(w), SENTINEL) :: else fi; /* LaneWriter.putEnd */
#endif
       ring(SINK);
       producer[w + 1] = DONE
    fi;
    ringQueue(1, SINK);
    doneMark[w] = 1
  } unless { killed[w] };
  d_step { waits[w + 1] = 0; exited[w] = 1 }
}

/* stage-worker.ts: a worker that died begins again; the head of #rest and of #finish rings for all. */
proctype StageWorker(byte w) {
  byte i;
  run Middle(w, 0);
  do
  :: exited[w] ->
     if
     :: doneMark[w] -> break
     :: !doneMark[w] && stop ->                 /* #finish: leaveQueues */
        consumer[w] = GONE;
        producer[w + 1] = GONE;
        break
     :: !doneMark[w] && !stop ->                /* #rest */
#ifndef BUG_NO_RING_ON_DEATH
        ringAll();
#endif
        d_step { exited[w] = 0; killed[w] = 0 };
        run Middle(w, 1)
     fi
  od;
  ringAll();
  isOver[w + 1] = 1
}

/* OrderFloor.isAbove: whether worker `w` sends nothing of an order below `o` any more. Its lane, NUMBER, its lane again. */
inline findFloor(w, o) {
  isAbove = 0;
  if
  :: LEVEL(IN(w)) > 0 -> isAbove = (FIRST(IN(w)) >= o)
  :: else ->
     if
     :: producer[0] >= DONE || number >= o - 1 ->
        isAbove = (LEVEL(IN(w)) == 0 || FIRST(IN(w)) >= o)
     :: else
     fi
  fi
}

/* InputLane.look: whether lane OUT(w) has an item; `left` is set when its end is met. The end's state is read first. */
inline look(w) {
  hasItem = 0;
  if
  :: left[w]
  :: else ->
     wasGone = (producer[w + 1] >= DONE);
     if
     :: LEVEL(OUT(w)) > 0 && FIRST(OUT(w)) != SENTINEL -> hasItem = 1
     :: LEVEL(OUT(w)) > 0 && FIRST(OUT(w)) == SENTINEL -> left[w] = 1
     :: LEVEL(OUT(w)) == 0 && wasGone -> left[w] = 1
     :: LEVEL(OUT(w)) == 0 && !wasGone
     fi;
     wasGone = 0
  fi
}

/* InputReader.#lookAround: `found` is a worker whose lane's item is next, WORKERS for nothing now, or OVER. */
#define OVER (WORKERS + 1)
inline lookAround() {
  look(0);
  found = (hasItem -> 0 : WORKERS);
#if WORKERS == 2
  look(1);
#ifndef ORDERED
  if :: hasItem -> found = 1 :: else fi;
#else
  /* OrderedMerge.look */
  if
  :: hasItem && (found == WORKERS || FIRST(OUT(1)) < FIRST(OUT(0))) -> found = 1
  :: else
  fi;
  if
  :: found < WORKERS ->
     other = 1 - found;
     look(other);
     if
     :: !hasItem && !left[other] ->
        findFloor(other, FIRST(OUT(found)));
        if
        :: isAbove ->
#ifndef BUG_NO_LAST_LOOK
           look(other)                          /* now what the floor says was published is seen */
#endif
        :: else -> found = WORKERS
        fi;
        isAbove = 0
     :: else
     fi;
     if
     :: found < WORKERS && hasItem && FIRST(OUT(other)) < FIRST(OUT(found)) -> found = other
     :: else
     fi;
     other = 0
  :: else
  fi;
#endif
#endif
  hasItem = 0;
  if
#ifdef BUG_SENTINEL_BY_STAGE
  :: found == WORKERS && (left[0] || left[WORKERS - 1]) -> found = OVER
#else
  :: found == WORKERS && left[0] && left[WORKERS - 1] -> found = OVER
#endif
  :: else
  fi
}

active proctype Sink() {
  byte found, x, i;
  bit woke, hasItem, wasGone, left[WORKERS];
#ifdef ORDERED
  byte other;
  bit isAbove;
#endif
  do
  :: stop -> break
  :: else ->
     lookAround();
     if
     :: found == OVER -> break
     :: found < WORKERS ->
        d_step {
          x = FIRST(OUT(found));
          assert(x >= 1 && x <= ITEMS);
          delivered[x]++;
          assert(delivered[x] == 1);
#ifdef ORDERED
          assert(x > newestOrder);
          newestOrder = x;
#endif
          x = 0
        };
        lane[OUT(found)].head++;
        ring(found + 1)
     :: found == WORKERS ->
        bell[SINK] = ASLEEP;
        lookAround();
        if
        :: found != WORKERS || stop -> bell[SINK] = AWAKE
        :: else -> sleepOn(SINK)
        fi
     fi;
     found = 0
  od;
  consumer[WORKERS] = DONE;
  ringQueue(1, SINK);
  isOver[SINK] = 1
}

#if DEATHS > 0
active proctype Killer() {
  do
  :: atomic { deaths < DEATHS && !killed[0] && !exited[0] && !doneMark[0] -> killed[0] = 1; deaths++ }
#if WORKERS == 2
  :: atomic { deaths < DEATHS && !killed[1] && !exited[1] && !doneMark[1] -> killed[1] = 1; deaths++ }
#endif
  :: break
  od
}
#endif

#ifdef STOP
active proctype Stopper() {
  byte i;
  stop = 1;
  ringAll()
}
#endif

/* Everybody leaves; and then every item has one outcome. */
init {
  byte k;
  atomic {
    run StageWorker(0);
#if WORKERS == 2
    run StageWorker(1)
#endif
  };
  isOver[SOURCE] && isOver[SINK] && isOver[1] && isOver[WORKERS];
  d_step {
    k = 1;
    do
    :: k <= ITEMS ->
       /* Delivered once; or the run was aborted, and it is still in a lane, or was never read. */
       assert(delivered[k] == 1 || stop);
       k++
    :: else -> break
    od;
    k = 0;
    do
    :: k < LANES -> assert(sentinels[k] == 1 || stop); k++
    :: else -> break
    od;
    k = 0
  }
}
