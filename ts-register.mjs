// Lets Node 20 load the .ts sources, in workers too (there, `--import tsx` does not work).
import { register } from 'tsx/esm/api'

register()
