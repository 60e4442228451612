/**
 * Who may import whom: the way of the data, from top to bottom, and never back.
 *
 * Each folder of src/ lists all it may import from src/; whatever is not listed is an error.
 */
const ANYWHERE = '^src/(errors|sentinel|deferred|deadline)\\.ts$'

const MAY_IMPORT = {
  code: ['^src/code/'],
  define: ['^src/(errors|sentinel|tracked)\\.ts$', '^src/define/'],
  plan: ['^src/errors\\.ts$', '^src/define/', '^src/plan/'],
  queue: ['^src/(errors|sentinel)\\.ts$', '^src/queue/'],
  observe: ['^src/errors\\.ts$', '^src/observe/'],
  host: [
    ANYWHERE,
    '^src/(tracked|code/uses|code/cache-folder)\\.ts$',
    '^src/(queue|define|plan|observe|host)/',
  ],
  command: [
    '^src/errors\\.ts$',
    '^src/(define|command)/',
    '^src/plan/check-options\\.ts$',
    '^src/host/child/',
  ],
  testing: [ANYWHERE, '^src/tracked\\.ts$', '^src/(queue|define|plan|observe|host|run|testing)/'],
  onnx: ['^src/(errors|deferred)\\.ts$', '^src/(define|onnx)/', '^src/plan/check-options\\.ts$'],
  media: [
    '^src/(errors|sentinel)\\.ts$',
    '^src/(define|media)/',
    '^src/command/frame-',
    '^src/plan/check-options\\.ts$',
    '^src/host/child/',
  ],
  metrics: ['^src/errors\\.ts$', '^src/(observe|run|metrics)/'],
  otel: [
    '^src/errors\\.ts$',
    '^src/define/option-table\\.ts$',
    '^src/plan/check-options\\.ts$',
    '^src/(observe|run|metrics|otel)/',
  ],
  python: [
    '^src/errors\\.ts$',
    '^src/(define|command|python)/',
    '^src/plan/check-options\\.ts$',
    '^src/host/own-files\\.ts$',
  ],
  run: [ANYWHERE, '^src/code/uses\\.ts$', '^src/(queue|define|plan|observe|host|run)/'],
}

const ENTRY_FILES =
  '^src/(index|sources|sinks|command|python|testing|media|onnx|prometheus|otel)\\.ts$|^src/cli/main\\.ts$|^src/host/(thread/thread|process/process)-entry\\.ts$'

/** Built-in modules that `import "millrace"` would make every user pay for. */
const HEAVY = '^(node:)?(http|https|http2|net|tls|child_process|tty|dgram|inspector|repl|cluster)$'

module.exports = {
  forbidden: [
    ...Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
      name: `${folder}-imports-downwards-only`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: '^src/', pathNot: allowed },
    })),
    {
      name: 'words-import-nothing-of-ours',
      comment: 'errors, sentinel and deferred are imported by all, so they import nobody',
      severity: 'error',
      from: { path: ANYWHERE },
      to: { path: '^src/' },
    },
    {
      name: 'sinks-and-sources-stand-alone',
      severity: 'error',
      from: { path: '^src/(sources|sinks)\\.ts$' },
      to: {
        path: '^src/',
        pathNot: ['^src/(errors|sentinel)\\.ts$', '^src/define/', '^src/host/write-sync\\.ts$'],
      },
    },
    {
      name: 'entry-files-are-imported-by-nobody',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/cli/' },
      to: { path: ENTRY_FILES },
    },
    {
      name: 'no-cycles',
      comment: 'type imports do not count: they are gone at run time',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'light-import',
      comment: "import 'millrace' loads no http, no child_process, no tty",
      severity: 'error',
      // host/child/ is loaded with `millrace/command` and with the first stage in a process.
      // worker-stack.ts imports the inspector when a worker is stuck, not before.
      from: {
        path: '^src/',
        pathNot:
          '^src/(cli/|metrics/serve-metrics\\.ts$|host/child/|host/process/process-entry\\.ts$|run/worker-stack\\.ts$)',
      },
      to: { path: HEAVY },
    },
    {
      name: 'no-packages-installed',
      comment: 'there are no runtime dependencies; each optional peer is asked for by one file',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(host/typescript|testing/virtual-time)\\.ts$|^src/otel/' },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-peer', 'npm-optional', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-packages-missing',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/host/typescript\\.ts$' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: 'specify',
    detectProcessBuiltinModuleCalls: true,
  },
}
