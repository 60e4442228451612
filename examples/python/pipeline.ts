// Pictures through a function in Python: `npx millrace run examples/python/pipeline.ts`.
import { definePipeline, pipeline } from 'millrace'
import { type NdArray, python } from 'millrace/python'

interface Picture {
  number: number
  picture: NdArray
}

const SIZE = 64

export default definePipeline(
  import.meta.url,
  {
    pictures: { type: 'integer', default: 100, min: 1, doc: 'How many pictures.' },
    python: { type: 'string', default: 'python3', doc: 'The interpreter, which must have numpy.' },
  },
  ({ pictures, python: interpreter }) =>
    pipeline('python')
      .source('draw', function* (): Generator<Picture> {
        for (let number = 1; number <= pictures; number++) {
          yield { number, picture: { data: square(number), shape: [SIZE, SIZE] } }
        }
      })
      .stage(
        'blur',
        python<Picture, Picture>({ file: new URL('./blur.py', import.meta.url), python: interpreter }),
        { concurrency: 4 },
      )
      .sink('print', ({ number, picture }) => {
        const sum = (picture.data as Float32Array).reduce((total, value) => total + value, 0)
        console.log(`picture ${number}: ${picture.shape.join(' x ')}, brightness ${Math.round(sum)}`)
      }),
)

/** A bright square that moves. */
function square(number: number): Float32Array {
  const data = new Float32Array(SIZE * SIZE)
  const at = 8 + (number % 32)
  for (let y = at; y < at + 16; y++) data.fill(1, y * SIZE + at, y * SIZE + at + 16)
  return data
}
