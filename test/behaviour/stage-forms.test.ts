// The contract of a stage's forms: the same on a thread and on the loop, because the worker loop is the same.
import assert from 'node:assert/strict'
import { type HostName, start } from '../../src/index.ts'
import forms, { FORMS, type Form } from '../fixtures/pipelines/forms.ts'
import { assertBalanced } from '../support/balance.ts'
import { test, watch } from '../support/harness.ts'

const TENS = Array.from({ length: 10 }, (_, index) => (index + 1) * 10)

const EXPECTED: Record<Form, number[]> = {
  sync: TENS,
  async: TENS,
  generator: TENS.flatMap((ten) => [ten, ten + 1]),
  'async generator': TENS.flatMap((ten) => [ten, ten + 1]),
  object: [...TENS, -55],
  'async object': [...TENS, -55, -1],
  operators: [20, 21, 40, 41, 60, 61, 80, 81, 100, 101],
  'async operators': [20, 21, 40, 41, 60, 61, 80, 81, 100, 101],
  drops: [20, 40, 60, 80, 100],
  'sentinel in generator': [10, 11, 20, 21, 30],
}

for (const on of ['thread', 'loop'] satisfies HostName[]) {
  for (const form of FORMS) {
    test(`a stage may have this form, on a ${on}: ${form}`, async () => {
      const input = Array.from({ length: 10 }, (_, index) => index + 1)
      const run = watch(start(forms, { form, on }, { input }))
      const outputs: number[] = []
      for await (const output of run) outputs.push(output)
      assert.deepEqual(outputs, EXPECTED[form])
      const report = await run.join()
      assert.equal(report.outcome, 'completed')
      if (['sync', 'async', 'drops'].includes(form)) assertBalanced(report)
    })
  }
}
