import { expect, it } from 'vitest'
import { keptWords } from './transfers.ts'

it('[AP103] what is there of a transfer that was cut off, also before it had anything to do', () => {
  expect(keptWords(0, 0)).toBe('No file was put there.')
  expect(keptWords(0, 2)).toBe('0 of 2 files are there; what was cut off is not.')
  expect(keptWords(1, 1)).toBe('1 of 1 file is there; what was cut off is not.')
})
