import { move } from 'piscina'
import * as frames from '../work/frames.mjs'

export const stamp = (frame) => move(frames.stamp(frame))
export const invert = (frame) => move(frames.invert(frame))
