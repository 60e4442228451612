// The built package. This folder has a package.json of its own, so the name `millrace` leads nowhere from here.
export * from '../dist/index.js'
