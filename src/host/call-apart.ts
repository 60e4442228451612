/**
 * Calls the user's function so that V8 does not compile it as a part of the worker's loop. There a long loop of the user's
 * has few registers left: the same arithmetic took 1.5 to 2 times as long, or not, as the compiler's timing had it.
 *
 * `Reflect.apply` keeps no note of what was called, which is what V8 goes by; and the function comes out of an array,
 * which V8 does not take for constant.
 */
export function callApart<Args extends unknown[]>(
  call: (...args: Args) => unknown,
  self?: unknown,
): (args: Args) => unknown {
  const held = [call]
  return (args) => Reflect.apply(held[0], self, args)
}
