/** Text files, as Vite hands them over. */
declare module '*?raw' {
  const text: string
  export default text
}

/** The address a file is served at, as Vite hands it over. */
declare module '*?url' {
  const address: string
  export default address
}
