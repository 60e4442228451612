/**
 * Mistakes in the protocol, made in the shipped text. The explorer must catch each: a check that no mistake can fail is worth
 * nothing. When a shipped file changes so that a text is not found any more, `npm run verify` says so.
 */
import type { Edit, Mutation } from './mutation.ts'

function mutation(name: string, worlds: readonly string[], ...edits: Edit[]): Mutation {
  return { name, edits, worlds }
}

function edit(file: string, find: string, replace: string): Edit {
  return { file, find, replace }
}

export const MUTATIONS: readonly Mutation[] = [
  mutation(
    'sleeps without a second look',
    ['hand 1x1 of 1'],
    edit('queue/doorbell.ts', '    if (ready()) return READY\n    const leftMs', '    const leftMs'),
  ),
  mutation(
    'looks first, announces its sleep second',
    ['hand 1x1 of 1'],
    edit(
      'queue/doorbell.ts',
      '    store(this.#words, this.#word, asleep)\n    if (ready()) return READY\n',
      '    if (ready()) return READY\n    store(this.#words, this.#word, asleep)\n',
    ),
  ),
  mutation(
    'sets the bell and notifies nobody',
    ['hand 1x1 of 1'],
    edit(
      'queue/doorbell.ts',
      'AWAKE) === state) {\n      notifyAll(this.#words, this.#rung)\n',
      'AWAKE) === state) {\n',
    ),
  ),
  mutation(
    'notifies first, sets the bell second',
    ['hand 1x1 of 1'],
    edit(
      'queue/doorbell.ts',
      '    if (compareExchange(this.#words, this.#rung, state, AWAKE) === state) {\n      notifyAll(this.#words, this.#rung)\n',
      '    {\n      notifyAll(this.#words, this.#rung)\n      compareExchange(this.#words, this.#rung, state, AWAKE)\n',
    ),
  ),
  mutation(
    'after a death, believes what the bells say',
    ['hand dead reader'],
    edit(
      'queue/doorbell.ts',
      '    if (state !== AWAKE) compareExchange(this.#words, this.#rung, state, AWAKE)\n',
      '    if (state === AWAKE) return\n    compareExchange(this.#words, this.#rung, state, AWAKE)\n',
    ),
  ),
  mutation(
    'publishes the record before it is written',
    ['hand 1x1 of 1'],
    edit(
      'queue/lane-writer.ts',
      '    const slot = this.slot(this.#tail)\n    poke(words, slot + OFFSET, from)\n',
      '    const slot = this.slot(this.#tail)\n    store(words, TAIL, (this.#tail + 1) | 0)\n    poke(words, slot + OFFSET, from)\n',
    ),
  ),
  mutation(
    'rings before it publishes',
    ['hand 1x1 of 1'],
    edit(
      'queue/queue-writer.ts',
      '    if (!this.#hasRoomFor(lane) || !this.#lanes[lane].tryPut(value, origin)) {\n',
      '    if (this.#hasRoomFor(lane) && this.#lanes[lane].hasRoom()) this.#wakeReader(lane)\n    if (!this.#hasRoomFor(lane) || !this.#lanes[lane].tryPut(value, origin)) {\n',
    ),
    edit('queue/queue-writer.ts', "    this.#wakeReader(lane)\n    return 'ok'\n", "    return 'ok'\n"),
  ),
  mutation(
    'puts one record more than fits',
    ['hand 1x1 of 1', 'hand 1x1 of 2'],
    edit(
      'queue/lane-writer.ts',
      '      this.#refresh()\n      if (this.levelAtMost >= this.capacity) return false\n',
      '      this.#refresh()\n      if (this.levelAtMost > this.capacity) return false\n',
    ),
  ),
  mutation(
    'writes into bytes that are still being read',
    ['hand arena'],
    edit(
      'queue/lane-writer.ts',
      '    if (this.#hasTurned()) return this.#encodeAt(value, this.#at, this.#oldest(), false)\n',
      '    if (this.#hasTurned()) return this.#encodeAt(value, this.#at, bytes.length, false)\n',
    ),
  ),
  mutation(
    'gives a record back and does not wake the writer',
    ['hand 1x1 of 1'],
    edit(
      'queue/input-reader.ts',
      '    if (this.#reader.commit()) {\n      lane.wakeWriter()\n',
      '    if (this.#reader.commit()) {\n',
    ),
  ),
  mutation(
    'reads the end of the writer after the lane',
    ['hand dead writer'],
    edit(
      'queue/input-lane.ts',
      "    const { isClosed } = memory\n    const state = memory.state('producer', this.producer)\n    if (!reader.isEmpty()) {\n",
      "    const isNone = reader.isEmpty()\n    const { isClosed } = memory\n    const state = memory.state('producer', this.producer)\n    if (!isNone) {\n",
    ),
  ),
  mutation(
    'rings a writer only if it waits for room and for nothing else',
    ['chain with promises'],
    edit(
      'queue/doorbell.ts',
      '    return state === ASLEEP || state === FOR_ROOM\n',
      '    return state === FOR_ROOM\n',
    ),
  ),
  mutation(
    'takes every sleeper for one that waits for room alone',
    ['hand 1x1 of 1'],
    edit('queue/queue-writer.ts', 'sleep === AWAKE || sleep === ROOM', 'sleep === AWAKE || sleep !== DOZING'),
  ),
  mutation(
    'waits for room, and says that it waits for items',
    ['pair of 1'],
    edit('host/output-queue.ts', 'Number.POSITIVE_INFINITY, ROOM)', 'Number.POSITIVE_INFINITY, 3)'),
  ),
  mutation(
    'waits for items, and says that it waits for room',
    ['pair of 1'],
    edit('host/process-items.ts', 'sleepSync(this.#isReady, ITEMS)', 'sleepSync(this.#isReady, 4)'),
  ),
  mutation(
    'takes the SENTINEL of one writer for that of all',
    ['hand 2x1'],
    edit(
      'queue/input-reader.ts',
      '      if (seen < least) least = seen\n',
      '      if (seen === OVER) return OVER\n      if (seen < least) least = seen\n',
    ),
  ),
  mutation(
    'puts no SENTINEL into the last lane',
    ['hand 1x2'],
    edit(
      'queue/queue-writer.ts',
      '      lane.putEnd(origin)\n      this.#readerBells[consumer].ring()\n',
      '      if (consumer > 0) continue\n      lane.putEnd(origin)\n      this.#readerBells[consumer].ring()\n',
    ),
  ),
  mutation(
    'forgets one doorbell at the stop',
    ['hand abort', 'pair abort'],
    edit('queue/stop-event.ts', 'index < taken; index++', 'index < taken - 1; index++'),
  ),
  mutation(
    'sets the stop and rings nobody',
    ['hand abort'],
    edit('queue/stop-event.ts', '    this.ringAll()\n    return true\n', '    return true\n'),
  ),
  mutation(
    'rings first, sets the stop second',
    ['hand abort'],
    edit(
      'queue/stop-event.ts',
      '      if (now >= target) return false\n',
      '      if (now >= target) return false\n      this.ringAll()\n',
    ),
    edit('queue/stop-event.ts', '    this.ringAll()\n    return true\n', '    return true\n'),
  ),
  mutation(
    'closes and rings nobody',
    ['hand close'],
    edit('queue/queue-memory.ts', '    if (isFirst) this.ringAll()\n', ''),
  ),
  mutation(
    'leaves as a reader and rings nobody',
    ['hand leave'],
    edit(
      'queue/queue-memory.ts',
      'if (this.#change(role, index, state, (now) => now < DONE)) this.ringAll()',
      'this.#change(role, index, state, (now) => now < DONE)',
    ),
  ),
  mutation(
    'marks a dead thread gone and rings nobody',
    ['hand dead reader'],
    edit(
      'queue/queue-memory.ts',
      "    for (let end = 0; end < this.producers; end++) this.doorbell('producer', end).ringAnyway()\n    for (let end = 0; end < this.consumers; end++) this.doorbell('consumer', end).ringAnyway()\n",
      '',
    ),
  ),
  mutation(
    'gives the input back before its output is published',
    ['chain death'],
    edit(
      'host/process-items.ts',
      '      input = reader.read()\n      const outcome',
      '      input = reader.read()\n      reader.commit()\n      const outcome',
    ),
    edit(
      'host/process-items.ts',
      '      input = this.#reader.read()\n      service',
      '      input = this.#reader.read()\n      this.#reader.commit()\n      service',
    ),
    edit(
      'host/process-items.ts',
      '    counters.note(ticket, outcome)\n    this.#reader.commit()\n',
      '    counters.note(ticket, outcome)\n',
    ),
  ),
  mutation(
    'publishes again what an earlier life had published',
    ['chain death'],
    edit('host/take-up.ts', '      if (partial !== undefined) core.outputs.setPartial(partial)\n', ''),
  ),
  mutation(
    'takes one output of two for all',
    ['doubling death'],
    edit(
      'host/output-queue.ts',
      '    this.#published = published\n',
      '    this.#published = published === 0 ? 0 : 2\n',
    ),
  ),
  mutation(
    'reads the source again and lets nothing go',
    ['pair dead source'],
    edit(
      'host/source-loop.ts',
      '.value : value)\n      return undefined\n    }\n    if (!core.control',
      '.value : value)\n    }\n    if (!core.control',
    ),
  ),
  mutation(
    'does not ring when a worker begins again',
    ['chain death, long'],
    edit(
      'run/stage-worker.ts',
      '    this.#restarts++\n    this.#parts.ringAll()\n',
      '    this.#restarts++\n',
    ),
  ),
  mutation(
    'drops and takes one record',
    ['pair drop-old'],
    edit(
      'queue/claiming-lane-reader.ts',
      '    if (compareExchange(words, HEAD, head, next) !== head) {\n',
      '    if (store(words, HEAD, next) !== next) {\n',
    ),
  ),
  mutation(
    'looks upstream and at no lane on the way',
    ['merge begun'],
    edit(
      'queue/order-floor.ts',
      '    const first = lane.headOrder()\n',
      "    const first = 'empty' as ReturnType<LaneView['headOrder']>\n",
    ),
    edit(
      'queue/order-floor.ts',
      '    const second = lane.headOrder()\n',
      "    const second = 'empty' as ReturnType<LaneView['headOrder']>\n",
    ),
  ),
  mutation(
    'trusts the floor and does not look at the lane again',
    ['merge begun'],
    edit(
      'queue/order-floor.ts',
      '        // Now what the floor says was published is seen.\n        seen = lane.look()\n',
      '',
    ),
  ),
  mutation(
    'says that all before an order went out after its record, and rings nobody',
    ['merge awaited'],
    edit(
      'queue/queue-writer.ts',
      '    if (this.#storesNumber) this.#memory.storeNumber((order - 1) | 0)\n',
      '',
    ),
    edit(
      'queue/queue-writer.ts',
      "    this.#wakeReader(lane)\n    return 'ok'\n",
      "    this.#wakeReader(lane)\n    if (this.#storesNumber) this.#memory.storeNumber((order - 1) | 0)\n    return 'ok'\n",
    ),
  ),
  mutation(
    'gives an item back and does not ring who merges',
    ['merge awaited'],
    edit(
      'queue/input-reader.ts',
      'if (bells[index].mayWantItems) bells[index].ring()',
      'if (index < 0) bells[index].ring()',
    ),
  ),
  mutation(
    'retires before all writers know',
    ['retire'],
    edit(
      'queue/queue-memory.ts',
      '      if ((state === IDLE || state === OPEN) && seen < epoch) return false\n',
      '',
    ),
  ),
]
