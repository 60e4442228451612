/** A terminal for a program, by python3's pty: Node has none. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'

/** Reads commands from its stdin: whatever it gets is typed into the terminal. */
const SCRIPT = `
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
inputs = [fd, 0]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if fd in ready:
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        os.write(1, data)
    if 0 in ready:
        data = os.read(0, 65536)
        if data:
            os.write(fd, data)
        else:
            inputs.remove(0)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
`

/** What is written to its stdin is typed: '\\x03' is Ctrl-C. */
export function spawnInTerminal(line: readonly string[], cwd: string): ChildProcessWithoutNullStreams {
  return spawn('python3', ['-c', SCRIPT, ...line], { cwd })
}
