/** In place of the shipped slabs: the values of the worlds are numbers, and nobody asks for any. */
export class Slabs {
  readonly refs: number[] = []
  readonly held = 0
  readonly isWaitedFor = false

  begin(): void {}
  letGo(): void {}
  letGoOf(): void {}
  letGoPassedOn(): void {}
  answer(): void {}
}
