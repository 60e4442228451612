import { workerData } from 'node:worker_threads'
import workerpool from 'workerpool'
import { WORKS } from '../work/works.mjs'

workerpool.worker({ ...WORKS[workerData].steps })
