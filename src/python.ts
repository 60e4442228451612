/** Functions in Python as stages: `millrace/python`. */
export { type PythonOptions, python } from './python/python.ts'
export type { NdArray } from './python/python-frame.ts'
