export default (item) => item
