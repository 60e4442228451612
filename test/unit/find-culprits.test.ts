import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StageDiagnosis, WaitDiagnosis, WorkerDiagnosis } from '../../src/observe/diagnosis.ts'
import { findCulprits } from '../../src/run/find-culprits.ts'

function stage(name: string, worker: Partial<WorkerDiagnosis>): StageDiagnosis {
  const idle: WorkerDiagnosis = {
    worker: 0,
    state: 'running',
    phase: 'waiting',
    bell: 'asleep',
    wakeUps: 0,
    inHand: 0,
    settled: 0,
    restarts: 0,
    waitsFor: [],
  }
  return { name, host: 'thread', state: 'running', workers: [{ ...idle, ...worker }] }
}

function waits(what: WaitDiagnosis['what'], stage: string): Partial<WorkerDiagnosis> {
  return { waitsFor: [{ what, workers: [{ stage, worker: 0 }] }] }
}

test('whoever waits for nobody is named, with how many wait for it through others', () => {
  const stages = [
    stage('a', waits('room', 'b')),
    stage('b', waits('room', 'c')),
    stage('c', { phase: 'working', item: 7, inHand: 3 }),
    stage('d', waits('item', 'c')),
    stage('e', { state: 'done' }),
  ]
  assert.deepEqual(findCulprits(stages, false), [
    'stage "c", worker 0 is in its own code, with item 7 and 2 more in hand; 3 workers wait for it',
  ])
})

test('a worker that sleeps and waits for nothing that is missing is suspected of a lost wake-up', () => {
  const [found] = findCulprits([stage('a', {}), stage('b', waits('item', 'a'))], false)
  assert.match(found, /^stage "a", worker 0 is asleep, .* a wake-up was lost; one worker waits for it$/)
})

test('a circle of waits is named', () => {
  const stages = [
    stage('a', waits('room', 'b')),
    stage('b', waits('turn', 'c')),
    stage('c', waits('item', 'b')),
  ]
  assert.deepEqual(findCulprits(stages, false), ['each waits for the next, in a circle: "b" 0, "c" 0'])
})

test('a worker that is being opened, and one that rests, are named', () => {
  const found = findCulprits([stage('a', { state: 'starting' }), stage('b', { state: 'resting' })], true)
  assert.deepEqual(found, [
    'the run is paused: nobody takes an item before resume()',
    'stage "a", worker 0 is being opened',
    'stage "b", worker 0 has died and is about to be started again',
  ])
})
