/**
 * Joins the worlds, and the shipped files that they import, to one text that can be run again and again.
 *
 * The files are those of src/, untouched, but for these: atomics.ts is the door that the explorer stands in; encode.ts,
 * decode.ts and what they know of shapes give way to a codec whose bytes are words (the shipped codec is fuzzed instead:
 * verify/fuzz), and there are no slabs. esbuild lowers private fields and async functions, which changes no behaviour, so
 * that the explorer can see the ones and run the others.
 * A mutation changes the text of one file before it is joined.
 */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { Mutation } from '../mutations/mutation.ts'
import { mutatedText } from '../mutations/mutation.ts'

const VERIFY = fileURLToPath(new URL('.', import.meta.url))

const STANDS_IN: Record<string, string> = {
  'queue/atomics.ts': 'explorer/atomics-door.ts',
  'codec/encode.ts': 'explorer/word-codec.ts',
  'codec/decode.ts': 'explorer/word-codec.ts',
  'codec/shape-reader.ts': 'explorer/word-codec.ts',
  'codec/shape-table.ts': 'explorer/word-codec.ts',
  'codec/shape-writer.ts': 'explorer/word-codec.ts',
  'queue/slabs.ts': 'explorer/no-slabs.ts',
}

function standIn(): Plugin {
  return {
    name: 'stand-in',
    setup({ onResolve }) {
      onResolve({ filter: /(atomics|encode|decode|shape-\w+|slabs)\.ts$/ }, ({ path: asked, resolveDir }) => {
        const full = path.join(resolveDir, asked).split(path.sep).join('/')
        const entry = Object.entries(STANDS_IN).find(([end]) =>
          full.endsWith(`src/queue/${end.replace('queue/', '')}`),
        )
        return entry === undefined ? undefined : { path: path.join(VERIFY, entry[1]) }
      })
      onResolve({ filter: /^node:worker_threads$/ }, () => ({
        path: path.join(VERIFY, 'explorer/thread-number.ts'),
      }))
    },
  }
}

function mutate(mutation: Mutation): Plugin {
  return {
    name: 'mutate',
    setup({ onLoad }) {
      for (const file of new Set(mutation.edits.map((edit) => edit.file))) {
        const contents = mutatedText(mutation, file)
        const ending = file.replaceAll('.', '\\.').replaceAll('/', '[\\\\/]')
        onLoad({ filter: new RegExp(`[\\\\/]src[\\\\/]${ending}$`) }, () => ({ contents, loader: 'ts' }))
      }
    },
  }
}

/** The text of a CommonJS module that exports `worlds`. */
export async function bundleShipped(mutation?: Mutation): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path.join(VERIFY, 'worlds/index.ts')],
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    supported: {
      'class-private-field': false,
      'class-private-accessor': false,
      'class-private-method': false,
      'class-private-brand-check': false,
      'class-private-static-field': false,
      'class-private-static-method': false,
      'async-await': false,
      'async-generator': false,
      'for-await': false,
    },
    plugins: mutation === undefined ? [standIn()] : [mutate(mutation), standIn()],
    logLevel: 'warning',
  })
  return outputFiles[0].text
}
