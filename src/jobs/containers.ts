/** Programs that ask an engine of their machine for containers. What they start lies outside of any sandbox they are run in. */
const ENGINES: readonly string[] = ['docker', 'podman']

export const isContainerEngine = (program: string): boolean => ENGINES.includes(program)
