import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StageDefinition } from '../../src/define/pipeline.ts'
import type { StageContext } from '../../src/define/stage-body.ts'
import { bindStage } from '../../src/host/bind-stage.ts'

test('an object may give itself another process function when it is opened; `this` is the object', async () => {
  class Scale {
    factor = 1
    open(): void {
      this.factor = 10
      this.process = (item) => -item * this.factor
    }
    process(item: number): number {
      return item * this.factor
    }
  }
  const ctx = {} as StageContext
  const bound = bindStage({ kind: 'stage', body: new Scale() } as unknown as StageDefinition)
  await bound.open(ctx)
  assert.equal(bound.process(2, ctx), -20)
  const { process } = Scale.prototype
  const body = { factor: 3, process }
  assert.equal(bindStage({ kind: 'stage', body } as unknown as StageDefinition).process(2, ctx), 6)
})
