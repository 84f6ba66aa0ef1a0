/** What the person chose in the first run, for the desk that opens next in this page. Not kept: a reload starts plainly. */
let aim: 'first' | 'join' | undefined

export const rememberFirstAim = (chosen: 'first' | 'join'): void => {
  aim = chosen
}

/** Says it once. */
export function takeFirstAim(): 'first' | 'join' | undefined {
  const taken = aim
  aim = undefined
  return taken
}
