import { workerData } from 'node:worker_threads'
import { ThreadWorker } from 'poolifier'
import { WORKS } from '../work/works.mjs'

export default new ThreadWorker({ ...WORKS[workerData].steps })
