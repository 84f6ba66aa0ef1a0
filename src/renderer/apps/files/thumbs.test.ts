import { expect, it, vi } from 'vitest'
import { type Thumb, Thumbs } from './thumbs.ts'

it('[AP109] what could not be read is tried again when it is next asked for; what is no picture is not', async () => {
  const thumbs = new Thumbs()
  const ask = (key: string, make: () => Promise<Thumb>) => new Promise<Thumb>((resolve) => thumbs.ask(key, make, resolve))
  const picture = { close: vi.fn() } as unknown as ImageBitmap
  expect(await ask('away', () => Promise.reject(new Error('its device is away')))).toBe('none')
  expect(thumbs.get('away')).toBeUndefined()
  expect(await ask('away', async () => picture)).toBe(picture)
  expect(thumbs.get('away')).toBe(picture)
  expect(await ask('text', async () => 'none')).toBe('none')
  expect(thumbs.get('text')).toBe('none')
  thumbs.dispose()
  expect(picture.close).toHaveBeenCalledOnce()
})
