/** A promise that is settled from outside. `Promise.withResolvers` is not in Node 20. */
export class Deferred<T = void> {
  readonly promise: Promise<T>
  /** Settles it; later calls do nothing. */
  resolve!: (value: T) => void
  reject!: (error: unknown) => void

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}
