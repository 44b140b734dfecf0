defmodule LibclusterPoc.MixProject do
  use Mix.Project

  def project do
    [
      app: :libcluster_poc,
      version: "0.1.0",
      elixir: "~> 1.14",
      start_permanent: Mix.env() == :prod,
      deps: deps(System.get_env("LIBCLUSTER", "hex"))
    ]
  end

  def application do
    [
      extra_applications: [:logger],
      mod: {LibclusterPoc, []}
    ]
  end

  # LIBCLUSTER=stand-in is for where hex cannot be reached: modules of our own that connect in the same way
  defp deps("hex"), do: [{:libcluster, "~> 3.5"}]
  defp deps("stand-in"), do: [{:libcluster, path: "stand_in"}]
end
