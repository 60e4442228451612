import { definePipeline, pipeline } from '../millrace.mjs'
import { pass } from './latency.mjs'

export default definePipeline(import.meta.url, () =>
  pipeline('idle').stage('a', pass).stage('b', pass).stage('c', pass).stage('d', pass),
)
