/** Ends what the set-up started. */
export default async function globalTeardown(): Promise<void> {
  await Promise.all((globalThis.celeriacServices ?? []).map((service) => service.dispose()))
}
