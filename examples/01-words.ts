// A pipeline for the command line: npx millrace run examples/01-words.ts --file examples/demo/alice.txt
import { pipeline } from 'millrace'
import { readLines } from 'millrace/sources'

export default ({ file }: { file: string }) =>
  pipeline('words')
    .source('reader', () => readLines(file))
    .stage('upper', (line) => line.toUpperCase())
    .stage('reverse', (line) => [...line].reverse().join(''), { capacity: 64 })
    .sink('writer', (line) => {
      console.log(line)
    })
