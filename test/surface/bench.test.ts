// The benchmarks are what their README says, and their parts are there.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ROOT } from '../support/places.ts'

const BENCH = path.join(ROOT, 'bench/')
const README = readFileSync(path.join(BENCH, 'README.md'), 'utf8')
const manifest = JSON.parse(readFileSync(path.join(BENCH, 'package.json'), 'utf8'))

interface Side {
  name: string
  file?: string
  tool?: string
  peer?: string
}
interface Scenario {
  kind: string
  work?: string
  base?: string
  settings: object[]
  sides?: Side[]
  points?: Record<string, Side[]>
}
interface Row {
  name: string
  ratio: number
}
interface Result {
  setting: object
  base: string
  rows: Row[]
}

/** Plain JavaScript: it has no types. */
const load = (file: string) => import(pathToFileURL(path.join(BENCH, file)).href)
const { SCENARIOS }: { SCENARIOS: Record<string, Scenario> } = await load('scenarios.mjs')
const { KINDS } = await load('harness/kinds.mjs')
const { TOOLS } = await load('harness/tools.mjs')
const { WORKS } = await load('work/works.mjs')
const { fallenOf } = await load('harness/check.mjs')

test('every scenario is described, and nothing else is', () => {
  const table = README.slice(README.indexOf('## Scenarios'), README.indexOf('## Sides'))
  const described = [...table.matchAll(/^\| ([a-z][a-z-]*) +\|/gm)].map(([, name]) => name)
  assert.deepEqual(described, ['name', ...Object.keys(SCENARIOS)])
})

test('every side of every scenario has its program, its peer at a fixed version, and a base to be compared with', () => {
  for (const [name, { kind, work, base, settings, sides, points }] of Object.entries(SCENARIOS)) {
    assert.ok(KINDS[kind], `${name}: ${kind}`)
    assert.ok(work === undefined || WORKS[work], `${name}: ${work}`)
    assert.ok(settings.length > 0, name)
    const all = [...(sides ?? []), ...Object.values(points ?? {}).flat()]
    assert.ok(all.length > 0, name)
    for (const { file, tool, peer } of all) {
      assert.ok(
        file === undefined || existsSync(path.join(BENCH, 'sides', `${file}.mjs`)),
        `${name}: ${file}`,
      )
      assert.ok(tool === undefined || TOOLS[tool], `${name}: ${tool}`)
      assert.ok(peer === undefined || /^\d+\.\d+\.\d+$/.test(manifest.dependencies[peer]), `${name}: ${peer}`)
    }
    if (sides)
      assert.ok(
        sides.some((side) => side.name === (base ?? 'millrace')),
        `${name}: ${base}`,
      )
    for (const { grows } of settings as { grows?: string }[]) assert.ok(!grows || points?.[grows], `${grows}`)
  }
})

test('the check names what fell by more than 15 %, whichever way is better, and nothing else', () => {
  const result = (rows: Row[], base = 'millrace'): Result => ({ setting: { capacity: 64 }, base, rows })
  const own = { name: 'millrace', ratio: 1 }
  const fallen = (kind: string, before: Result, now: Result) =>
    fallenOf('x', { kind }, [now], { results: [before] }).map((line: string) =>
      line.replace(/^x [^:]*: /, ''),
    )

  const peer = (ratio: number) => result([own, { name: 'peer', ratio }])
  assert.deepEqual(fallen('rate', peer(1), peer(1.15)), [])
  assert.deepEqual(fallen('rate', peer(1), peer(0.5)), [])
  assert.deepEqual(fallen('rate', peer(1), peer(2)), ['millrace to peer fell by 50 %, from 1.00 to 0.50'])
  // Times: the peer takes three times as long as millrace, then as long.
  assert.deepEqual(fallen('latency', peer(3), peer(1)), ['millrace to peer fell by 67 %, from 3.00 to 1.00'])
  assert.deepEqual(fallen('latency', peer(1), peer(3)), [])

  const farm = (ratio: number) =>
    result(
      [
        { name: 'plain loop', ratio: 1 },
        { name: 'millrace', ratio },
      ],
      'plain loop',
    )
  assert.deepEqual(fallen('farm', farm(1.9), farm(1.2)), [
    'millrace to plain loop fell by 37 %, from 1.90 to 1.20',
  ])
  assert.deepEqual(fallen('farm', farm(1.2), farm(1.9)), [])
  // How two peers compare is no news; two ways of millrace are.
  const peers = (ratio: number) => result([own, { name: 'a', ratio: 1 }, { name: 'b', ratio }], 'a')
  assert.deepEqual(fallen('rate', peers(2), peers(1)), [])
  const orders = (ratio: number) =>
    result(
      [
        { name: 'completion', ratio: 1 },
        { name: 'input', ratio },
      ],
      'completion',
    )
  assert.deepEqual(fallen('rate', orders(1), orders(0.5)), [
    'input to completion fell by 50 %, from 1.00 to 0.50',
  ])
  assert.deepEqual(fallenOf('x', { kind: 'rate' }, [peer(1)], undefined), [
    'x capacity 64: nothing was published to compare with',
  ])
})
