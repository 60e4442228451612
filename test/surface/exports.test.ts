// The public surface, as a list to be reviewed: whoever changes it changes what users rely on.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { ADVICE } from '../../src/errors.ts'
import { nameHere, ROOT } from '../support/places.ts'

const SRC = path.join(ROOT, 'src/')

interface Surface {
  values: string[]
  types: string[]
}

const EXPECTED: Record<string, Surface> = {
  'index.ts': {
    values: [
      'BoundedQueue',
      'EMPTY',
      'MillraceError',
      'PipelineError',
      'PipelineManager',
      'PipelineStage',
      'SENTINEL',
      'StopEvent',
      'definePipeline',
      'isMain',
      'pipeline',
      'robustPut',
      'robustPutSync',
      'start',
      'track',
    ],
    types: [
      'BatchOptions',
      'Blueprint',
      'BoundedQueueOptions',
      'BuiltOptions',
      'ChannelMessages',
      'ChannelName',
      'DeadLetter',
      'Diagnosis',
      'Emitted',
      'Empty',
      'Failure',
      'FailureWindow',
      'GetOptions',
      'GivenOptions',
      'HostName',
      'Logger',
      'ManagerOptions',
      'MillraceErrorCode',
      'OnError',
      'Order',
      'Overdue',
      'Overflow',
      'PartitionKey',
      'Pipeline',
      'PipelineModule',
      'PipelineOption',
      'PipelineOptionTable',
      'PipelineStageOptions',
      'Plan',
      'PlannedBatch',
      'PlannedQueue',
      'PlannedRun',
      'PlannedStage',
      'ProcessFunction',
      'PutOptions',
      'PutResult',
      'QueueHandle',
      'QueueReport',
      'RateLimit',
      'Report',
      'RestartOptions',
      'RetryOptions',
      'RunEvents',
      'RunLogger',
      'RunOptions',
      'RunOutcome',
      'RunStateName',
      'Sentinel',
      'SlabReport',
      'SourceBody',
      'SourceOptions',
      'Split',
      'StageContext',
      'StageObject',
      'StageOptions',
      'StageReport',
      'StageResult',
      'StageState',
      'StartSettings',
      'StopEventOptions',
      'StopHandle',
      'StopLevel',
      'StuckItem',
      'TrackOptions',
      'Tracked',
      'WorkerReport',
      'WorkerRestart',
    ],
  },
  'prometheus.ts': {
    values: ['registerMetrics', 'renderMetrics', 'serveMetrics'],
    types: ['MetricsRegistry', 'MetricsServer', 'MetricsServerOptions'],
  },
  'otel.ts': { values: ['instrumentRuns'], types: ['InstrumentOptions'] },
  'testing.ts': {
    values: ['Simulation', 'openSimulation', 'simulate'],
    types: ['Fault', 'ItemOutcome', 'ItemRecord', 'SimulationResult', 'SimulationSettings'],
  },
  'command.ts': {
    values: ['command'],
    types: ['Command', 'CommandOptions', 'FrameOf', 'Framing', 'Mapping'],
  },
  'media.ts': {
    values: ['audioSamples', 'encodeAudio', 'encodeVideo', 'probeMedia', 'videoFrames'],
    types: [
      'AudioInfo',
      'AudioSamplesOptions',
      'AudioWindow',
      'EncodeAudioOptions',
      'EncodeVideoOptions',
      'MediaInfo',
      'PixelFormat',
      'VideoFrame',
      'VideoFramesOptions',
      'VideoInfo',
    ],
  },
  'onnx.ts': {
    values: ['inference'],
    types: [
      'BatchLimits',
      'InferenceOptions',
      'InputSpec',
      'OnnxRuntime',
      'OutputDims',
      'TensorData',
      'TensorType',
    ],
  },
  'python.ts': { values: ['python'], types: ['NdArray', 'PythonOptions'] },
  'sources.ts': { values: ['readLines'], types: ['ReadLinesOptions'] },
  'sinks.ts': { values: ['writeLines'], types: ['WriteLinesOptions'] },
}

for (const [entry, expected] of Object.entries(EXPECTED)) {
  test(`${entry} exports these values and types, and no others`, async () => {
    const values = Object.keys(await import(nameHere(`../../src/${entry}`))).toSorted()
    const types = exportedNames(entry).filter((name) => !values.includes(name))
    assert.deepEqual({ values, types }, expected)
  })
}

test('every error code is raised somewhere', () => {
  const text = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(path.join(SRC, file), 'utf8'))
    .join('\n')
  const unused = Object.keys(ADVICE).filter((code) => !text.includes(`'${code}'`))
  assert.deepEqual(unused, [])
})

/** Variables of the environment. */
const VARIABLES = new Set(['MILLRACE_CODE_CACHE', 'MILLRACE_PYTHON_STAGE'])

test('every code that the source names is in the table', () => {
  for (const file of readdirSync(SRC, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue
    for (const [code] of readFileSync(path.join(SRC, file), 'utf8').matchAll(/\bMILLRACE_[A-Z_]+\b/g)) {
      assert.ok(VARIABLES.has(code) || Object.hasOwn(ADVICE, code), `${file}: ${code}`)
    }
  }
})

/** Names in the `export` declarations of an entry file, in which nothing is exported by `*`. */
function exportedNames(entry: string): string[] {
  const source = ts.createSourceFile(
    entry,
    readFileSync(path.join(SRC, entry), 'utf8'),
    ts.ScriptTarget.ES2023,
  )
  const names: string[] = []
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) {
      assert.ok(statement.exportClause !== undefined && ts.isNamedExports(statement.exportClause), 'export *')
      names.push(...statement.exportClause.elements.map((element) => element.name.text))
    } else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      if (isExported(statement)) names.push(statement.name.text)
    } else if (ts.isFunctionDeclaration(statement) && isExported(statement)) {
      names.push(statement.name?.text ?? 'default')
    }
  }
  return names.toSorted()
}

function isExported(statement: ts.HasModifiers): boolean {
  return ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false
}
