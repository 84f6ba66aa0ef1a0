/** What a device takes of an environment: names and values within its bounds. */
export const plainEnvironment = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).filter(
      (pair): pair is [string, string] => pair[1] !== undefined && pair[1].length <= 32_768 && pair[0].length <= 256,
    ),
  )
