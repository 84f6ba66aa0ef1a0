/** Class names joined by blanks; what is not set is left out. */
export const joinClasses = (...names: readonly (string | false | null | undefined)[]): string => names.filter(Boolean).join(' ')
