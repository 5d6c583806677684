export default {
  testMatch: ['<rootDir>/spec/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^(\\.{1,2}/.*)\\.js$': '$1',
    '^celeriac$': '<rootDir>/lib/index.ts',
    '^celeriac/testing$': '<rootDir>/lib/testing/index.ts',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/build/'],
  globalSetup: '<rootDir>/build/support/globalSetup.js',
  globalTeardown: '<rootDir>/build/support/globalTeardown.js',
  // Only what hangs is to reach it: the machine may be slow and busy. So no spec has a shorter one of its own.
  testTimeout: 300_000,
}
