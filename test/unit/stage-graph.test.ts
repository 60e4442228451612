/** Who still has someone to work for, when a stage has ended before its time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findEarlyEnd, StageGraph } from '../../src/run/stage-graph.ts'

function graphOf(...ways: string[]): StageGraph {
  const pairs = ways.map((way) => way.split(' '))
  const names = [...new Set(pairs.flatMap((pair) => pair.slice(0, 2)))]
  return new StageGraph(
    names,
    pairs.map(([from, to, kind]) => ({ from, to, kind: kind === 'dead' ? 'dead-letters' : 'items' })),
  )
}

const open =
  (...names: string[]) =>
  (name: string): boolean =>
    names.includes(name)

test('the ordinary end, from the source on, is none before its time', () => {
  const chain = graphOf('a b', 'b c', 'c d')
  assert.equal(findEarlyEnd(chain, 'a', open('b', 'c', 'd')), undefined)
  assert.equal(findEarlyEnd(chain, 'b', open('c', 'd')), undefined)
  assert.equal(findEarlyEnd(chain, 'd', open()), undefined)
})

test('a stage in a chain that ends the stream leaves what is upstream without a reader', () => {
  const chain = graphOf('a b', 'b c', 'c d')
  assert.deepEqual(findEarlyEnd(chain, 'c', open('a', 'b', 'd')), { isForAll: true, isDelivered: false })
  assert.deepEqual(findEarlyEnd(chain, 'd', open('a', 'b')), { isForAll: true, isDelivered: true })
})

test('a branch that ends does not end the others', () => {
  const split = graphOf('a b', 'b left', 'b right', 'left l', 'right r')
  assert.deepEqual(findEarlyEnd(split, 'left', open('a', 'b', 'l', 'right', 'r')), {
    isForAll: false,
    isDelivered: false,
  })
  assert.deepEqual(findEarlyEnd(split, 'r', open('a', 'b', 'l')), { isForAll: true, isDelivered: false })
  assert.deepEqual(findEarlyEnd(split, 'l', open('a', 'b')), { isForAll: true, isDelivered: true })
})

test('a source goes on as long as one of its ways is open, also when another source has none', () => {
  const join = graphOf('one own', 'one joined', 'two joined')
  const end = findEarlyEnd(join, 'joined', open('one', 'two', 'own'))
  assert.equal(end?.isForAll, false)
  assert.equal(findEarlyEnd(join, 'own', open('two'))?.isForAll, undefined)
})

test('dead letters hold nothing open and end nothing', () => {
  const chain = graphOf('a b', 'b c', 'b letters dead', 'c letters dead')
  assert.deepEqual(chain.sinks, ['c'])
  assert.deepEqual(chain.sources, ['a'])
  assert.equal(findEarlyEnd(chain, 'letters', open('a', 'b', 'c')), undefined)
  assert.deepEqual(findEarlyEnd(chain, 'c', open('a', 'b', 'letters')), { isForAll: true, isDelivered: true })
})
