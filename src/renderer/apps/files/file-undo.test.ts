import { expect, it } from 'vitest'
import { rememberStep, takeBack, useFileSteps } from './file-undo.ts'

it('[AP111] what was done is taken back once, the latest first; fifty are remembered', async () => {
  const done: string[] = []
  const step = (title: string) => ({ title, back: async () => void done.push(title) })
  const steps = Array.from({ length: 52 }, (_, at) => step(`step ${at}`))
  for (const one of steps) rememberStep(one)
  expect(useFileSteps.getState().steps).toHaveLength(50)
  const last = useFileSteps.getState().steps.at(-1)
  if (!last) throw new Error('nothing is remembered')
  await Promise.all([takeBack(last), takeBack(last)])
  await takeBack(step('another'))
  expect(done).toEqual(['step 51'])
  expect(useFileSteps.getState().steps.at(-1)?.title).toBe('step 50')
})

it('[AP111] what cannot be taken back is not tried again', async () => {
  let tries = 0
  const step = {
    title: 'lost',
    back: () => {
      tries++
      return Promise.reject(new Error('it is gone'))
    },
  }
  rememberStep(step)
  await takeBack(step)
  await takeBack(step)
  expect(tries).toBe(1)
})
