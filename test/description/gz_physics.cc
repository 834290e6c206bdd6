// Plays joint commands on the robot in a world, in Gazebo's physics (gz-physics with DART),
// driven as gz_ros2_control's GazeboSimSystem drives it: at 100 Hz a joint's velocity is gain *
// rate * its error, a second finger's is rate * its distance from the first; steps of 2 ms.
//
// Arguments: physics plugin, world, robot, gain, joint names. Standard input: rows of commands,
// the first is where the robot starts. Standard output: a row each of the object's place, the
// joints' positions, and those of their followers ("<joint>_mimic", 0 where there is none).
#include <chrono>
#include <ignition/physics/FeatureList.hh>
#include <ignition/physics/FindFeatures.hh>
#include <ignition/physics/ForwardStep.hh>
#include <ignition/physics/FrameSemantics.hh>
#include <ignition/physics/GetEntities.hh>
#include <ignition/physics/Joint.hh>
#include <ignition/physics/RequestEngine.hh>
#include <ignition/physics/sdf/ConstructModel.hh>
#include <ignition/physics/sdf/ConstructWorld.hh>
#include <ignition/plugin/Loader.hh>
#include <iostream>
#include <sdf/sdf.hh>

namespace gz = ignition::physics;

struct Features
    : gz::FeatureList<gz::GetEngineInfo, gz::GetWorldFromEngine, gz::GetModelFromWorld,
                      gz::GetLinkFromModel, gz::GetJointFromModel, gz::sdf::ConstructSdfWorld,
                      gz::sdf::ConstructSdfModel, gz::GetBasicJointState, gz::SetBasicJointState,
                      gz::SetJointVelocityCommandFeature, gz::LinkFrameSemantics,
                      gz::ForwardStep> {};

constexpr double rate = 100.0;
constexpr int steps = 5;

static bool loaded(sdf::Root &root, const char *file) {
  const sdf::Errors errors = root.Load(file);
  for (const auto &error : errors) std::cerr << error.Message() << "\n";
  return errors.empty();
}

int main(int count, char **arguments) {
  ignition::plugin::Loader loader;
  loader.LoadLib(arguments[1]);
  const auto plugins = gz::FindFeatures3d<Features>::From(loader);
  sdf::Root world_file, robot_file;
  if (plugins.empty() || !loaded(world_file, arguments[2]) || !loaded(robot_file, arguments[3]))
    return 1;
  auto engine = gz::RequestEngine3d<Features>::From(loader.Instantiate(*plugins.begin()));
  auto world = engine->ConstructWorld(*world_file.WorldByIndex(0));
  auto robot = world->ConstructModel(*robot_file.Model());
  auto object = world->GetModel("object")->GetLink("object");
  const double gain = std::stod(arguments[4]);
  std::vector<gz::Joint3dPtr<Features>> joints, followers;
  for (int i = 5; i < count; ++i) {
    joints.push_back(robot->GetJoint(arguments[i]));
    followers.push_back(robot->GetJoint(std::string(arguments[i]) + "_mimic"));
  }

  gz::ForwardStep::Input input;
  gz::ForwardStep::State state;
  gz::ForwardStep::Output output;
  input.Get<std::chrono::steady_clock::duration>() = std::chrono::milliseconds(2);
  std::vector<double> command(joints.size()), velocity(joints.size()), following(joints.size());
  for (bool first = true;; first = false) {
    for (double &value : command)
      if (!(std::cin >> value)) return 0;
    for (size_t i = 0; i < joints.size(); ++i) {
      if (first) {
        joints[i]->SetPosition(0, command[i]);
        if (followers[i]) followers[i]->SetPosition(0, command[i]);
      }
      const double position = joints[i]->GetPosition(0);
      velocity[i] = gain * rate * (command[i] - position);
      if (followers[i]) following[i] = rate * (position - followers[i]->GetPosition(0));
    }
    for (int step = 0; step < steps; ++step) {
      for (size_t i = 0; i < joints.size(); ++i) {
        joints[i]->SetVelocityCommand(0, velocity[i]);
        if (followers[i]) followers[i]->SetVelocityCommand(0, following[i]);
      }
      world->Step(output, state, input);
    }
    std::cout << object->FrameDataRelativeToWorld().pose.translation().transpose();
    for (auto &joint : joints) std::cout << " " << joint->GetPosition(0);
    for (auto &follower : followers) std::cout << " " << (follower ? follower->GetPosition(0) : 0);
    std::cout << "\n";
  }
}
